/** A creator of models: its id with us, its name, how sources spell it, and who serves its models on its own behalf. */
export interface Creator {
  id: string;
  name: string;
  /** Other spellings, lower case, punctuation as `-`; the id itself needs no row. */
  spellings: string[];
  /** Its own providers, the one that states the reference price first. */
  providers: string[];
}

const creator = (id: string, name: string, spellings: string[] = [], providers: string[] = []): Creator => ({
  id,
  name,
  spellings,
  providers,
});

/** Every creator that is known by name. Data only: a row is added by review, never guessed. */
export const CREATORS: Creator[] = [
  creator('abacusai', 'Abacus.AI'),
  creator('ai21', 'AI21 Labs', ['ai21labs', 'ai21-labs']),
  creator('aion-labs', 'AionLabs'),
  creator('aisingapore', 'AI Singapore'),
  creator('alibaba', 'Alibaba', ['qwen', 'alibaba-nlp', 'tongyi-zhiwen'], ['alibaba', 'alibaba-cn']),
  creator('allenai', 'Allen Institute for AI', ['ai2', 'allen-institute-for-ai']),
  creator('amazon', 'Amazon', ['aws'], ['amazon-bedrock']),
  creator('anthracite-org', 'Anthracite'),
  creator('anthropic', 'Anthropic', [], ['anthropic']),
  creator('arcee-ai', 'Arcee AI', ['arcee']),
  creator('baai', 'BAAI'),
  creator('baichuan', 'Baichuan', ['baichuan-inc']),
  creator('baidu', 'Baidu', ['paddlepaddle']),
  creator('black-forest-labs', 'Black Forest Labs', ['bfl']),
  creator('bytedance', 'ByteDance', ['bytedance-seed', 'volcengine']),
  creator('cohere', 'Cohere', ['coherelabs', 'cohereforai'], ['cohere']),
  creator('databricks', 'Databricks'),
  creator('deepcogito', 'Deep Cogito', ['deep-cogito']),
  creator('deepgram', 'Deepgram'),
  creator('deepreinforce', 'DeepReinforce', ['deepreinforce-ai']),
  creator('deepseek', 'DeepSeek', ['deepseek-ai'], ['deepseek']),
  creator('elevenlabs', 'ElevenLabs'),
  creator('essentialai', 'Essential AI'),
  creator('google', 'Google', [], ['google', 'google-vertex']),
  creator('groq', 'Groq', [], ['groq']),
  creator('gryphe', 'Gryphe'),
  creator('ibm', 'IBM', ['ibm-granite']),
  creator('ideogram', 'Ideogram', ['ideogramai']),
  creator('inception', 'Inception', [], ['inception']),
  creator('inclusionai', 'inclusionAI', [], ['bailing']),
  creator('inflection', 'Inflection AI'),
  creator('intfloat', 'intfloat'),
  creator('klingai', 'Kling AI'),
  creator('korea-telecom', 'Korea Telecom'),
  creator('kwaipilot', 'Kwaipilot', ['kwaikat', 'kuaishou']),
  creator('lg', 'LG AI Research', ['lgai-exaone', 'lg-ai-research']),
  creator('liquid', 'Liquid AI', ['liquidai', 'liquid-ai']),
  creator('mancer', 'Mancer'),
  creator('meituan', 'Meituan', ['longcat', 'meituan-longcat']),
  creator('meta', 'Meta', ['meta-llama', 'facebook'], ['llama']),
  creator('microsoft', 'Microsoft', ['azure']),
  creator('minimax', 'MiniMax', ['minimaxai'], ['minimax', 'minimax-cn']),
  creator('mistral', 'Mistral AI', ['mistralai', 'mistral-ai'], ['mistral']),
  creator('moonshotai', 'Moonshot AI', ['moonshot', 'kimi'], ['moonshotai', 'moonshotai-cn']),
  creator('morph', 'Morph', [], ['morph']),
  creator('nex-agi', 'Nex AGI', ['nex']),
  creator('nousresearch', 'Nous Research', ['nous-research']),
  creator('nvidia', 'NVIDIA', [], ['nvidia']),
  creator('openai', 'OpenAI', [], ['openai']),
  creator('openbmb', 'OpenBMB'),
  creator('openrouter', 'OpenRouter', [], ['openrouter']),
  creator('perceptron', 'Perceptron'),
  creator('perplexity', 'Perplexity', ['perplexity-ai'], ['perplexity']),
  creator('poolside', 'Poolside', [], ['poolside']),
  creator('prime-intellect', 'Prime Intellect', ['primeintellect']),
  creator('recraft', 'Recraft'),
  creator('rekaai', 'Reka AI', ['reka-ai']),
  creator('relace', 'Relace'),
  creator('runwayml', 'Runway'),
  creator('sakana', 'Sakana AI', [], ['sakana']),
  creator('salesforce', 'Salesforce'),
  creator('sao10k', 'Sao10K'),
  creator('sarvam', 'Sarvam AI', ['sarvamai'], ['sarvam']),
  creator('servicenow', 'ServiceNow', ['servicenow-ai']),
  creator('snowflake', 'Snowflake'),
  creator('stepfun', 'StepFun', ['stepfun-ai'], ['stepfun', 'stepfun-ai']),
  creator('swiss-ai', 'Swiss AI Initiative', ['swiss-ai-initiative']),
  creator('switchpoint', 'Switchpoint'),
  creator('tencent', 'Tencent', [], ['tencent-tokenhub']),
  creator('thedrummer', 'TheDrummer'),
  creator('tii', 'Technology Innovation Institute', ['tii-uae', 'tiiuae']),
  creator('undi95', 'Undi95'),
  creator('upstage', 'Upstage', [], ['upstage']),
  creator('voyage', 'Voyage AI', ['voyageai']),
  creator('writer', 'Writer'),
  creator('xai', 'xAI', ['x-ai', 'xai-org', 'spacexai', 'grok'], ['xai']),
  creator('xiaomi', 'Xiaomi', ['xiaomimimo'], ['xiaomi']),
  creator('zhipuai', 'Zhipu AI', ['z-ai', 'zai', 'zai-org', 'thudm'], ['zai', 'zhipuai']),
];

/** Providers that serve the models of one creator alone, so that a bare name there is that creator's. */
export const SOLE_CREATOR: Record<string, string> = {
  anthropic: 'anthropic',
  bailing: 'inclusionai',
  cohere: 'cohere',
  deepseek: 'deepseek',
  google: 'google',
  inception: 'inception',
  minimax: 'minimax',
  'minimax-cn': 'minimax',
  'minimax-cn-coding-plan': 'minimax',
  'minimax-coding-plan': 'minimax',
  mistral: 'mistral',
  moonshotai: 'moonshotai',
  'moonshotai-cn': 'moonshotai',
  morph: 'morph',
  nova: 'amazon',
  openai: 'openai',
  perplexity: 'perplexity',
  sakana: 'sakana',
  sarvam: 'sarvam',
  stepfun: 'stepfun',
  'stepfun-ai': 'stepfun',
  'tencent-tokenhub': 'tencent',
  upstage: 'upstage',
  xai: 'xai',
  xiaomi: 'xiaomi',
  zai: 'zhipuai',
  zhipuai: 'zhipuai',
};

/** Beginnings of names that only one creator uses, so that a bare name anywhere is that creator's. Open weights have none: others fine-tune them under their name. */
export const SOLE_BRAND: { pattern: RegExp; creator: string; reason: string }[] = [
  { pattern: /^claude-/, creator: 'anthropic', reason: 'closed weights: nobody else releases a Claude' },
  { pattern: /^gemini-\d/, creator: 'google', reason: 'closed weights: nobody else releases a Gemini' },
  {
    pattern: /^gpt-(\d|image|audio|realtime|oss)/,
    creator: 'openai',
    reason: 'numbered GPTs are OpenAI products',
  },
  { pattern: /^grok-(\d|code|build)/, creator: 'xai', reason: 'numbered Groks are xAI products' },
];

/** Suffixes that providers put behind a model's name to sell the same model on other terms. */
export const TERMS_SUFFIX = /:(free|batch|thinking|extended|beta|exacto)$/;

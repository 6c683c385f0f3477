/** A family word that only one creator uses for its own releases. */
interface Brand {
  word: string;
  creator: string;
  /** Whether nobody else can release a model of that name: the weights are closed. */
  closed: boolean;
}

const of = (creator: string, closed: boolean, words: string): Brand[] =>
  words.split(' ').map((word) => ({ word, creator, closed }));
const openOf = (creator: string, words: string) => of(creator, false, words);
const closedOf = (creator: string, words: string) => of(creator, true, words);

/**
 * Family words and whose they are, derived families before those that they are made from: a name with several belongs to
 * the first. Closed ones count only at the beginning of a name: others name fine-tunes after their teachers.
 */
export const BRANDS: Brand[] = [
  ...openOf('nvidia', 'nemotron nemoretriever'),
  ...openOf('nousresearch', 'hermes deephermes'),
  ...openOf('deepcogito', 'cogito'),
  ...openOf('allenai', 'tulu olmo molmo'),
  ...openOf('deepseek', 'deepseek'),
  ...openOf('zhipuai', 'glm autoglm'),
  ...openOf('moonshotai', 'kimi'),
  ...openOf('minimax', 'minimax'),
  ...openOf('xiaomi', 'mimo'),
  ...openOf('tencent', 'hunyuan hy'),
  ...openOf('baidu', 'ernie'),
  ...openOf('bytedance', 'doubao seed seedance seedream'),
  ...openOf('stepfun', 'step'),
  ...openOf('meituan', 'longcat'),
  ...openOf('inclusionai', 'ling ring'),
  ...openOf('microsoft', 'phi wizardlm'),
  ...openOf('cohere', 'command aya north'),
  ...openOf('ai21', 'jamba'),
  ...openOf('ibm', 'granite'),
  ...openOf('liquid', 'lfm'),
  ...openOf('lg', 'exaone'),
  ...openOf('upstage', 'solar'),
  ...openOf('kwaipilot', 'kat'),
  ...openOf('sarvam', 'sarvam'),
  ...openOf('swiss-ai', 'apertus'),
  ...openOf('arcee-ai', 'trinity'),
  ...openOf('aion-labs', 'aion'),
  ...openOf('prime-intellect', 'intellect'),
  ...openOf('black-forest-labs', 'flux'),
  ...openOf('databricks', 'dbrx'),
  ...openOf('poolside', 'laguna'),
  ...openOf('baai', 'bge'),
  ...openOf('sao10k', 'euryale lunaris hanami'),
  ...openOf('thedrummer', 'cydonia skyfall rocinante unslopnemo anubis magidonia'),
  ...openOf('gryphe', 'mythomax'),
  ...openOf('mistral', 'mistral mixtral ministral codestral devstral magistral pixtral voxtral'),
  ...openOf('alibaba', 'qwen qwq qvq tongyi wan'),
  ...openOf('google', 'gemma medgemma'),
  ...openOf('meta', 'llama'),
  ...closedOf('anthropic', 'claude opus sonnet haiku fable'),
  ...closedOf('google', 'gemini imagen veo lyria'),
  ...closedOf('openai', 'gpt chatgpt o1 o3 o4 sora dall'),
  ...closedOf('xai', 'grok'),
  ...closedOf('amazon', 'nova titan'),
  ...closedOf('perplexity', 'sonar'),
  ...closedOf('inception', 'mercury'),
  ...closedOf('writer', 'palmyra'),
  ...closedOf('voyage', 'voyage'),
  ...closedOf('klingai', 'kling'),
  ...closedOf('recraft', 'recraft'),
  ...closedOf('ideogram', 'ideogram'),
  ...closedOf('inflection', 'inflection'),
  ...closedOf('rekaai', 'reka'),
  ...closedOf('morph', 'morph'),
  ...closedOf('sakana', 'fugu'),
];

/** Words by which makers tell their own variants apart. A bare name with any other word may be somebody's fine-tune. */
export const VARIANT_WORDS: ReadonlySet<string> = new Set(
  (
    'air airx asr audio code coder codex distill embed embedding flash flashx guard guardian haiku image large lite long math ' +
    'maverick max medium micro mini moe mt multimodal nano nemo next ocr omni opus plus pro prompt prover qwen r realtime ' +
    'rerank reranker saba safety safeguard scout search small sonnet spark speciale super terminus tiny transcribe tts turbo ' +
    'ultra v vision vl vl2 x exp exps custom high highspeed ultraspeed lightning fast free k1 k2 m1 m2 m3 r1 v1 v2 v3 z1 t1 x1 llama'
  ).split(' '),
);

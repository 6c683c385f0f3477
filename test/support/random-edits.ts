import { entriesOf, type Entry } from './edits.ts';
import type { UpstreamContent } from './upstream.ts';

/** Numbers from 0 to 1 that are the same for the same seed. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

type Row = Record<string, unknown>;

/** What was taken away, and how it comes back. */
interface Taken {
  name: string;
  putBack: () => void;
}

/** Edits what the upstreams hold at random, as they do themselves: one edit at a call. Answers with what it did. */
export function randomEditor(content: UpstreamContent, random: () => number): () => string {
  const taken: Taken[] = [];
  let made = 0;
  const pick = <Item>(items: Item[]): Item => {
    const item = items[Math.floor(random() * items.length)];
    if (item === undefined) throw new Error('There is nothing to pick from');
    return item;
  };
  const flip = () => random() < 0.5;
  const providers = () => Object.keys(content.modelsDevApi);
  const anEntry = (): { provider: string; key: string; entry: Entry } => {
    const all = providers().flatMap((provider) =>
      Object.entries(entriesOf(content, provider)).map(([key, entry]) => ({ provider, key, entry })),
    );
    return pick(all);
  };
  const facts = () => content.modelsDevModels as Record<string, Entry>;
  const change = (row: Row, over: Row) => {
    Object.assign(row, over);
    return `${String(row.id ?? row.name)} ${JSON.stringify(over)}`;
  };
  const take = (name: string, remove: () => () => void) => {
    taken.push({ name, putBack: remove() });
    return `${name} is gone`;
  };
  const takeRow = (list: 'openrouter' | 'huggingface' | 'artificialAnalysis') => {
    const row = pick(content[list]) as Row;
    return take(`${list} ${String(row.id)}`, () => {
      content[list] = content[list].filter((other) => other !== row);
      return () => (content[list] = [...content[list], row]);
    });
  };
  const putBack = () => {
    const [one] = taken.splice(Math.floor(random() * taken.length), 1);
    one?.putBack();
    return one === undefined ? 'nothing comes back' : `${one.name} is back`;
  };

  const edits: (() => string)[] = [
    () => {
      const { provider, entry } = anEntry();
      const cost = { ...(entry.cost as Row | undefined), input: 1 + Math.round(random() * 900) / 100 };
      return `${provider} ${change(entry, { cost })}`;
    },
    () => {
      const { entry } = anEntry();
      const { input } = { input: 1, ...(entry.cost as { input?: number } | undefined) };
      return change(entry, { cost: { input: input * 150, output: 3 } });
    },
    () => change(anEntry().entry, { limit: { context: 1_000 * Math.ceil(random() * 99), output: 900 } }),
    () => change(anEntry().entry, { attachment: flip(), tool_call: flip() }),
    () => change(anEntry().entry, { status: flip() ? 'deprecated' : undefined }),
    () => change(anEntry().entry, { reasoning_options: flip() ? [{ type: 'toggle' }] : [] }),
    () => change(anEntry().entry, { last_updated: `2026-0${Math.ceil(random() * 9)}-11` }),
    () => {
      const { provider, key, entry } = anEntry();
      return take(`${provider} ${key}`, () => {
        delete entriesOf(content, provider)[key];
        return () => (entriesOf(content, provider)[key] = entry);
      });
    },
    () => {
      // Another provider serves it as well, or a new model comes.
      const [{ entry }, provider] = [anEntry(), pick(providers())];
      made += 1;
      const id = flip() ? String(entry.id) : `fern-${made}`;
      entriesOf(content, provider)[id] ??= structuredClone({ ...entry, id, name: `Fern ${made}` });
      return `${provider} serves ${id}`;
    },
    () => {
      const [id, row] = pick(Object.entries(facts()));
      const score = Math.round(random() * 100);
      const benchmarks = [
        { name: 'Made Up', score, metric: 'percent', source: 'https://example.org/made-up' },
      ];
      return `${id} ${change(row, flip() ? { benchmarks } : { license: flip() ? 'MIT' : 'Apache-2.0' })}`;
    },
    () => {
      const [id, row] = pick(Object.entries(facts()));
      return take(`facts of ${id}`, () => {
        const { [id]: _, ...rest } = facts();
        content.modelsDevModels = rest;
        return () => (content.modelsDevModels = { ...facts(), [id]: row });
      });
    },
    () =>
      change(pick(content.openrouter) as Row, {
        pricing: { prompt: String(1e-7 * Math.ceil(random() * 90)), completion: '0.000002' },
      }),
    () =>
      change(pick(content.openrouter) as Row, {
        expiration_date: pick(['2020-01-01', '2098-06-30', null]),
        description: `Edit ${(made += 1)}.`,
      }),
    () => takeRow('openrouter'),
    () => {
      // Its maker tells of what others sell already: an id that is more official.
      const { entry } = anEntry();
      const id = `${pick(['openai', 'meta', 'mistral'])}/${String(entry.id).replace(/^.*\//, '')}`;
      content.modelsDevModels = { [id]: structuredClone({ ...entry, id }), ...facts() };
      return `facts of ${id} come`;
    },
    () => {
      const [one, other] = [pick(content.openrouter) as Row, pick(content.openrouter) as Row];
      return change(one, { canonical_slug: other.canonical_slug, name: other.name });
    },
    // Another repository stands behind it: models are found to be one, or several.
    () =>
      change(pick(content.openrouter) as Row, {
        hugging_face_id: pick([null, ...content.huggingface.map((row) => (row as Row).id)]),
      }),
    () => {
      const repository = pick(content.huggingface) as Row;
      const id = `${String(repository.id)}-${(made += 1)}`;
      return change(repository, { id, modelId: id });
    },
    () => change(pick(content.openrouter) as Row, { name: `Renamed: Model ${(made += 1)}` }),
    () => {
      const row = pick(content.artificialAnalysis) as Row;
      const evaluations = { artificial_analysis_intelligence_index: Math.round(random() * 700) / 10 };
      return change(row, { evaluations });
    },
    () => {
      const row = pick(content.artificialAnalysis) as Row;
      const performance = { median_output_tokens_per_second: Math.round(random() * 300) };
      return change(row, { performance });
    },
    // What was sold under a name turns out to be another model, or one of a maker that is known.
    () => change(anEntry().entry, { id: String(anEntry().entry.id) }),
    () => change(anEntry().entry, { family: pick(['whisper', 'gpt', 'llama']) }),
    () => takeRow('artificialAnalysis'),
    () => change(pick(content.huggingface) as Row, { downloads: Math.ceil(random() * 1e6) }),
    () => change(pick(content.huggingface) as Row, { tags: ['license:mit', flip() ? 'de' : 'en'] }),
    () => takeRow('huggingface'),
    putBack,
    putBack,
    putBack,
  ];
  return () => pick(edits)();
}

/** Edits after which a model is found to be another one, and one to be two, by the sync that they come before. */
export function identityMoves(content: UpstreamContent): Record<number, () => string> {
  const whisper = { ...entriesOf(content, 'groq')['whisper-large-v3'], family: 'whisper' };
  const mini = { ...entriesOf(content, 'openai')['gpt-5-mini'], id: 'gpt-4.1', name: 'GPT-4.1' };
  return {
    3: () => {
      entriesOf(content, 'groq')['whisper-large-v3'] = whisper;
      entriesOf(content, 'openai')['whisper-large-v3'] = whisper;
      return 'what groq sells as whisper is of openai';
    },
    7: () => {
      entriesOf(content, 'azure')['gpt-5-mini'] = mini;
      return 'what azure sells as gpt-5-mini is gpt-4.1';
    },
  };
}

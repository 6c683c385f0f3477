import { knownCreator } from '../../sync/identity.ts';
import { kindOfId } from '../../sync/kinds.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { offered, offerFacts, record } from '../support/records.ts';

type Over = Omit<NonNullable<Parameters<typeof record>[0]>, 'naming'>;

const apart = (id: string): [creator: string, model: string] => {
  const slash = id.indexOf('/');
  return [id.slice(0, slash), id.slice(slash + 1)];
};

/** What models.dev says of a model itself. */
export function described(id: string, over: Over = {}): SourceRecord {
  const [creator, model] = apart(id);
  return record({ id: `models.json/${id}`, ...over, naming: { creator, model } });
}

/** A repository of Hugging Face. */
export function repository(id: string): SourceRecord {
  const [creator, model] = apart(id);
  return record({ source: 'huggingface', id, type: 'repository', naming: { creator, model } });
}

/** An entry of OpenRouter, with the name that it shows, its canonical id and the repository that it links to. */
export function routed(
  id: string,
  { name, canonical = id, weights }: { name?: string; canonical?: string; weights?: string } = {},
): SourceRecord {
  const [creator, model] = apart(id);
  const url = `https://huggingface.co/${weights}`;
  return record({
    source: 'openrouter',
    id,
    type: 'offer',
    kind: creator.startsWith('~') ? 'rolling' : 'model',
    offer: offerFacts('openrouter', id),
    naming: { creator: creator.replace(/^~/, ''), model, canonical, provider: 'openrouter' },
    facts: {
      name: name ?? model,
      links: weights === undefined ? [] : [{ url, label: 'Hugging Face', type: 'weights' }],
    },
  });
}

/** An offer that models.dev lists, written `provider/model id`. */
export function sold(id: string, name?: string, releaseDate: string | null = null): SourceRecord {
  const [provider, model] = apart(id);
  const facts = { name: name ?? model.split('/').at(-1) ?? model, releaseDate };
  return { ...offered(provider, model, { facts }), kind: kindOfId(model) };
}

/** A row of Artificial Analysis. */
export function measured(
  creator: string,
  name: string,
  slug: string,
  releaseDate: string | null = null,
): SourceRecord {
  return record({
    source: 'artificialanalysis',
    id: `row-of-${slug}`,
    type: 'measurement',
    naming: { creator, model: name, canonical: slug },
    facts: { name, releaseDate },
  });
}

/** The example of a reviewed row: a seller's id or a repository, and the name that it stands for. */
export function exampleOf([spelled, plain]: readonly [string, string]): SourceRecord[] {
  const [first, rest] = apart(spelled);
  const isRepository = knownCreator(first) !== undefined && /^(?=.*[A-Z])[^/]+$/.test(rest);
  return [isRepository ? repository(spelled) : sold(spelled), described(plain)];
}

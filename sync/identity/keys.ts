import { kindOfId } from '../kinds.ts';
import { knownCreator } from './creators.ts';
import { describe, type Description } from './describe.ts';
import { repositoryName } from './links.ts';
import { foldName } from './names.ts';
import { unknownFacts, type SourceRecord } from '../record.ts';

/** The family that a description belongs to: only records of one family, or with a link between them, are ever joined. */
export function familyKey({ creator, attributes, rolling, record }: Description): string {
  return creator === null
    ? `?${record.naming.provider ?? record.source}/${foldName(record.naming.model)}`
    : `${creator}/${rolling ?? attributes.words.join(' ')}`;
}

/** The keys of a record: records that share one bear upon each other, so that placing a record takes these and no others. */
export function keysOf(description: Description): string[] {
  const { record, creator, links, name, canonical } = description;
  const keys = [`family:${familyKey(description)}`];
  // Uploaders repeat the names of what they copy; they bear out nothing.
  if (record.type !== 'repository' || knownCreator(creator ?? '') !== undefined)
    keys.push(`name:${foldName(name)}`);
  if (record.type === 'repository') keys.push(`repository:${record.id.toLowerCase()}`);
  else {
    for (const link of links) {
      const { owner, attributes } = repositoryName(link, creator);
      keys.push(`repository:${link}`, `family:${owner}/${attributes.words.join(' ')}`);
    }
  }
  if (record.offer !== null) keys.push(`offer:${record.offer.provider}/${record.offer.providerModelId}`);
  // What a moving name of a catalogue points to is told by the ids of that catalogue.
  if (record.source === record.offer?.provider)
    keys.push(...[record.id, canonical ?? record.id].map((id) => `id:${record.source}/${id.toLowerCase()}`));
  if (record.target !== null) keys.push(`id:${record.source}/${record.target.toLowerCase()}`);
  const successor = record.facts.lifecycle?.successor ?? record.offer?.lifecycle?.successor ?? null;
  if (successor !== null)
    keys.push(
      `id:${record.source}/${successor.toLowerCase()}`,
      `family:${familyKey(describe(namedRecord(successor)))}`,
    );
  return [...new Set(keys)];
}

/** A record of nothing but a name, as a source might spell it: `creator/name`, or a provider's id. */
export function namedRecord(id: string, provider: string | null = null): SourceRecord {
  const slash = provider === null ? id.indexOf('/') : -1;
  const known = slash > 0 ? knownCreator(id.slice(0, slash).replace(/^~/, '')) : undefined;
  return {
    source: '',
    id,
    type: 'offer',
    naming: {
      creator: known?.id ?? null,
      model: known === undefined ? id : id.slice(slash + 1),
      canonical: null,
      provider,
      family: null,
    },
    kind: kindOfId(id),
    target: null,
    facts: unknownFacts(known === undefined ? id : id.slice(slash + 1)),
    offer: null,
  };
}

import { kindOfId } from '../kinds.ts';
import { knownCreator } from './creators.ts';
import type { Description } from './describe.ts';
import { describe } from './describe.ts';
import { foldName } from './names.ts';
import { unknownFacts, type SourceRecord } from '../record.ts';

/** The family that a description belongs to: only records of one family, or with a link between them, are ever joined. */
export function familyKey({ creator, attributes, rolling, record }: Description): string {
  return creator === null
    ? `?${record.naming.provider ?? record.source}/${foldName(record.naming.model)}`
    : `${creator}/${rolling ?? attributes.words.join(' ')}`;
}

/**
 * The keys of a record: two records can only bear upon each other where they share one, so that placing a record takes
 * its neighbours and no others.
 */
export function keysOf(description: Description): string[] {
  const { record, creator, links, name } = description;
  const keys = [`family:${familyKey(description)}`];
  // Uploaders repeat the names of what they copy; they bear out nothing.
  if (record.type !== 'repository' || knownCreator(creator ?? '') !== undefined)
    keys.push(`name:${foldName(name)}`);
  if (record.type === 'repository') keys.push(`repository:${record.id.toLowerCase()}`);
  else for (const link of links) keys.push(`repository:${link}`);
  if (record.offer !== null) keys.push(`offer:${record.offer.provider}/${record.offer.providerModelId}`);
  if (record.target !== null) keys.push(`family:${familyKey(describe(namedRecord(record.target)))}`);
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

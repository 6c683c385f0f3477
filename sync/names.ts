import type { Group } from './identity.ts';
import { contradiction } from './identity/cluster.ts';
import { describe } from './identity/describe.ts';
import { namedRecord } from './identity/keys.ts';
import type { SourceRecord } from './record.ts';
import type { AliasRow } from './rows.ts';

type Name = Pick<AliasRow, 'alias' | 'namespace'>;

/** Whether a canonical id says nothing against the record that has it: some are of another model. */
function isSound(canonical: string, record: SourceRecord): boolean {
  const own = describe(record);
  const other = describe(namedRecord(canonical));
  return (
    own.attributes.words.join() === other.attributes.words.join() &&
    contradiction(own.attributes, { ...other.attributes, tuning: own.attributes.tuning }) === null
  );
}

/** The names by which a record knows its model, in lower case, each in the namespace where it is used. */
function namesOfRecord(record: SourceRecord): Name[] {
  const { source, id, offer, naming } = record;
  const names: Name[] = [
    { alias: record.type === 'metadata' ? id.slice(id.indexOf('/') + 1) : id, namespace: source },
  ];
  if (offer !== null && offer.provider !== source)
    names.push({ alias: offer.providerModelId, namespace: offer.provider });
  const { canonical } = naming;
  if (canonical !== null && (record.type === 'measurement' || isSound(canonical, record)))
    names.push({ alias: canonical, namespace: source });
  return names.map(({ alias, namespace }) => ({ alias: alias.toLowerCase(), namespace }));
}

/** Every name of some models, once in a namespace. What a seller or a source calls an entry goes before what else is said of it. */
export function namesOf(groups: Group[]): AliasRow[] {
  const rows = new Map<string, AliasRow>();
  for (const { id, records } of groups) {
    for (const record of records) {
      for (const [index, { alias, namespace }] of namesOfRecord(record).entries()) {
        const key = `${namespace}\n${alias}`;
        const isOwn = index === 0 && record.type !== 'metadata';
        if (isOwn || !rows.has(key))
          rows.set(key, { alias, namespace, modelId: id, source: record.source, recordId: record.id });
      }
    }
  }
  return [...rows.values()];
}

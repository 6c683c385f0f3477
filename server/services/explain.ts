import type { Transaction } from 'kysely';
import { Match } from '../../contracts/names.ts';
import { contradiction, distinctRows, union, type Cluster } from '../../sync/identity/cluster.ts';
import { describe, type Description } from '../../sync/identity/describe.ts';
import { byRecord } from '../../sync/identity/joiner.ts';
import type { IdentityChangeRow } from '../../sync/rows.ts';
import { readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { loadKeys, loadRecords } from '../db/catalog-index.ts';
import { itemsById } from '../db/items.ts';
import { changesInto, changesOfId } from '../db/names.ts';
import { neighboursOf } from '../db/neighbours.ts';
import type { Tables } from '../db/orm.ts';

/** A record behind a model: how its name was read, and why it stands there. */
export interface ExplainedRecord {
  description: Description;
  /** Null: an earlier version placed it, and did not say how. */
  match: Match | null;
}

/** A model of the same family that is another model, and what keeps it apart. */
export interface KeptApart {
  id: string;
  because: string;
}

/** Everything that made a model what it is. */
export interface ModelStory {
  records: ExplainedRecord[];
  /** Entries that can not be read any more. */
  unreadable: string[];
  keptApart: KeptApart[];
  /** Whether the family is too large to be looked through. */
  isFamilyTooLarge: boolean;
  /** What became of its own id and of those that it took over, oldest first. */
  changes: IdentityChangeRow[];
}

/** Puts together why records stand behind a model, and others of the family do not. */
export async function storyOf(
  db: Transaction<Tables>,
  modelId: string,
  sources: SourceDefinition[],
): Promise<ModelStory> {
  const rows = await db
    .selectFrom('records')
    .select(['source', 'id'])
    .where('model_id', '=', modelId)
    .execute();
  const records: ExplainedRecord[] = [];
  const unreadable: string[] = [];
  for (const [source, own] of Map.groupBy(rows, (row) => row.source)) {
    const ids = own.map(({ id }) => id);
    for (const { id, raw, match, updatedAt } of await loadRecords(db, source, ids)) {
      const stored = readStored(sources, { source, id, raw, observedAt: updatedAt });
      const said = match === null ? null : (Match.safeParse(JSON.parse(match)).data ?? null);
      if (stored === null) unreadable.push(`${source} ${id}`);
      else records.push({ description: describe(stored.record), match: said });
    }
  }
  records.sort((a, b) => byRecord(a.description, b.description));
  const family = (await loadKeys(db, rows)).filter((key) => key.startsWith('family:'));
  const neighbours = family.length === 0 ? [] : await neighboursOf(db, family, { withheld: false });
  const changes = [...(await changesOfId(db, modelId)), ...(await changesInto(db, modelId))];
  return {
    records,
    unreadable,
    keptApart: await keptApart(db, modelId, records, neighbours ?? [], sources),
    isFamilyTooLarge: neighbours === null,
    changes: changes.toSorted((a, b) => (a.at < b.at ? -1 : 1)),
  };
}

async function keptApart(
  db: Transaction<Tables>,
  modelId: string,
  records: ExplainedRecord[],
  neighbours: { source: string; id: string; modelId: string }[],
  sources: SourceDefinition[],
): Promise<KeptApart[]> {
  const models = new Map(neighbours.map(({ source, id, modelId: of }) => [`${source}\n${id}`, of]));
  const items = await itemsById(
    db,
    neighbours.filter((one) => one.modelId !== modelId),
  );
  const described = items.flatMap((item) => {
    const stored = readStored(sources, item);
    const of = models.get(`${item.source}\n${item.id}`) ?? '';
    return stored === null ? [] : [{ of, description: describe(stored.record) }];
  });
  const own = clusterOf(records.map(({ description }) => description));
  return [...Map.groupBy(described, ({ of }) => of)]
    .map(([id, members]) => {
      const other = clusterOf(members.map(({ description }) => description));
      return { id, because: own === null || other === null ? 'it can not be read' : reason(own, other) };
    })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

/** What the names of a model say together. */
function clusterOf(members: Description[]): Cluster | null {
  const [first, ...rest] = members.toSorted(byRecord);
  if (first === undefined) return null;
  return {
    creator: first.creator,
    attributes: rest.reduce((sum, { attributes }) => union(sum, attributes), first.attributes),
    rolling: members.find(({ rolling }) => rolling !== null)?.rolling ?? null,
    members,
    superseded: false,
    repositories: new Set(
      members.flatMap(({ record }) => (record.type === 'repository' ? [record.id.toLowerCase()] : [])),
    ),
  };
}

/** Why two models of one family are two. */
function reason(own: Cluster, other: Cluster): string {
  if (own.rolling !== other.rolling) return 'a name that its owner moves is an entry of its own';
  const words = (cluster: Cluster) => cluster.attributes.words.join(' ');
  if (words(own) !== words(other)) return `${words(own) || 'no word'} is not ${words(other) || 'no word'}`;
  const against = contradiction(own.attributes, other.attributes);
  if (against !== null) return against;
  const pair = own.members
    .flatMap((a) => other.members.map((b) => contradiction(a.attributes, b.attributes)))
    .find((found) => found !== null);
  if (pair !== undefined) return `some of their names contradict each other: ${pair}`;
  if (distinctRows(own, other)) return 'they are measured apart, or have weights of their own';
  return 'one leaves out what the other says, and more than one model could be meant';
}

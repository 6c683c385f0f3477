import { sql, type Kysely } from 'kysely';
import type { Tables } from '../../server/db/orm.ts';
import { SCHEMA } from './checksums.ts';

/** A table or an index that holds more empty space than rows need. */
export interface Bloat {
  name: string;
  kind: 'table' | 'index';
  bytes: number;
  /** Of these bytes, what writing it anew would give back. */
  wastedBytes: number;
}

/** How much space is wasted, and how that is known. */
export interface BloatReport {
  method: 'pgstattuple' | 'estimate';
  bloated: Bloat[];
}

/** What is worth writing anew: a third of at least a megabyte. */
const WORTH_BYTES = 1_000_000;
const WORTH_SHARE = 1 / 3;

/** Finds tables and indexes that are bloated: measured where the extension pgstattuple may be used, else estimated. */
export async function findBloat(db: Kysely<Tables>): Promise<BloatReport> {
  const { rows } = await sql<{ schema: string }>`
    select pronamespace::regnamespace::text as schema from pg_proc
    where proname in ('pgstattuple_approx', 'pgstatindex') and has_function_privilege(oid, 'execute')
    group by 1 having count(distinct proname) = 2
  `.execute(db);
  const schema = rows[0]?.schema;
  const all =
    schema === undefined
      ? [...(await estimateTables(db)), ...(await estimateIndexes(db))]
      : await measureBloat(db, schema);
  const bloated = all
    .map((one) => ({ ...one, wastedBytes: Math.max(0, Math.round(one.wastedBytes)) }))
    .filter(({ bytes, wastedBytes }) => wastedBytes >= WORTH_BYTES && wastedBytes / bytes >= WORTH_SHARE)
    .toSorted((one, other) => other.wastedBytes - one.wastedBytes);
  return { method: schema === undefined ? 'estimate' : 'pgstattuple', bloated };
}

interface Sized {
  name: string;
  bytes: string;
  wasted: string;
}

/** A full leaf of a B-tree is filled to 90 %. */
async function measureBloat(db: Kysely<Tables>, schema: string): Promise<Bloat[]> {
  const inSchema = (name: string) => sql`${sql.raw(schema)}.${sql.id(name)}`;
  const relations = sql`
    pg_class
    left join pg_index on indexrelid = pg_class.oid
    left join pg_am on pg_am.oid = relam
    where relnamespace = to_regnamespace(${SCHEMA}) and pg_relation_size(pg_class.oid) >= ${sql.lit(WORTH_BYTES)}`;
  const tables = await sql<Sized>`
    select relname as name, pg_relation_size(pg_class.oid) as bytes,
      (select approx_free_space + dead_tuple_len from ${inSchema('pgstattuple_approx')}(pg_class.oid)) as wasted
    from ${relations} and relkind = 'r'
  `.execute(db);
  const indexes = await sql<Sized>`
    select relname as name, pg_relation_size(pg_class.oid) as bytes,
      (select leaf_pages * 8192.0 * (1 - least(avg_leaf_density / 90, 1)) + (empty_pages + deleted_pages) * 8192
       from ${inSchema('pgstatindex')}(pg_class.oid::regclass)) as wasted
    from ${relations} and relkind = 'i' and amname = 'btree' and indisvalid
  `.execute(db);
  return [...tables.rows.map(toBloat('table')), ...indexes.rows.map(toBloat('index'))];
}

const toBloat =
  (kind: Bloat['kind']) =>
  ({ name, bytes, wasted }: Sized): Bloat => ({
    name,
    kind,
    bytes: Number(bytes),
    wastedBytes: Number(wasted),
  });

const PAGE = 8192;
const PAGE_HEADER = 24;
const POINTER = 4;
const align = (width: number): number => Math.ceil(width / 8) * 8;

interface Estimated {
  name: string;
  bytes: string;
  rows: number;
  columns: number;
  width: number;
  fill: string | null;
}

/** Pages that rows of a width need, as the planner's statistics tell it, beside those that there are. */
function wasted(kind: Bloat['kind'], { name, bytes, rows, columns, width, fill }: Estimated): Bloat {
  // Of an index: 8 bytes a tuple, 16 at the end of every page. Of a table: 23, and a bit a column that may be null.
  const header = kind === 'index' ? 8 : align(23 + Math.ceil(columns / 8));
  const usable = PAGE - PAGE_HEADER - (kind === 'index' ? 16 : 0);
  const share = Number(fill ?? (kind === 'index' ? 90 : 100)) / 100;
  const pages = Math.ceil((Math.max(0, rows) * (header + align(width) + POINTER)) / (usable * share));
  return { name, kind, bytes: Number(bytes), wastedBytes: Number(bytes) - pages * PAGE };
}

const fillOf = (relation: string) =>
  sql`(select substring(option from 12) from unnest(${sql.ref(relation)}.reloptions) as option where option like 'fillfactor=%')`;

async function estimateTables(db: Kysely<Tables>): Promise<Bloat[]> {
  const { rows } = await sql<Estimated>`
    select relname as name, pg_relation_size(pg_class.oid) as bytes, reltuples as rows, count(*)::int as columns,
      sum((1 - null_frac) * avg_width)::float as width, ${fillOf('pg_class')} as fill
    from pg_class join pg_stats on schemaname = ${SCHEMA} and tablename = relname
    where relnamespace = to_regnamespace(${SCHEMA}) and relkind = 'r'
    group by pg_class.oid
  `.execute(db);
  return rows.map((row) => wasted('table', row));
}

/** Indexes over expressions are left out: the planner knows no width of them. */
async function estimateIndexes(db: Kysely<Tables>): Promise<Bloat[]> {
  const { rows } = await sql<Estimated>`
    select own.relname as name, pg_relation_size(own.oid) as bytes, own.reltuples as rows, count(*)::int as columns,
      sum((1 - null_frac) * avg_width)::float as width,
      ${fillOf('own')} as fill
    from pg_index
      join pg_class as own on own.oid = indexrelid
      join pg_am on pg_am.oid = own.relam and amname = 'btree'
      join pg_class as of_table on of_table.oid = indrelid
      cross join unnest(indkey::int[]) as key
      join pg_attribute on attrelid = indrelid and attnum = key
      join pg_stats on schemaname = ${SCHEMA} and tablename = of_table.relname and pg_stats.attname = pg_attribute.attname
    where own.relnamespace = to_regnamespace(${SCHEMA}) and indexprs is null and indisvalid
    group by own.oid
  `.execute(db);
  return rows.map((row) => wasted('index', row));
}

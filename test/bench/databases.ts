import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import type { Database } from '../../server/db/database.ts';
import { openOrm } from '../../server/db/orm.ts';

/** The tables that a sync fills with what was fetched. */
export const TABLES = [
  'records',
  'models',
  'offers',
  'conflicts',
  'model_aliases',
  'record_keys',
  'providers',
] as const;
export type Table = (typeof TABLES)[number];

/** Rows of every table, by column. */
export type Rows = Record<Table, Record<string, unknown>[]>;

/** A kind of database, and what only it does in its own way. */
export interface Kind {
  name: string;
  /** An empty database. */
  create(): Promise<{ url: string; drop(): Promise<void> }>;
  /** Opens a database for inserting rows one by one, with prepared statements and in one transaction. */
  openInserter(url: string): Promise<{ insert(rows: Rows): Promise<void>; close(): Promise<void> }>;
  /** Statements that make every write to the tables leave a row in `bench_writes`. */
  countWrites: string[];
}

interface NativeSqlite {
  exec(sql: string): void;
  prepare(sql: string): { run(...values: unknown[]): void };
}

const EVENTS = ['insert', 'update', 'delete'];

export const sqlite: Kind = {
  name: 'SQLite',
  async create() {
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-bench-'));
    const drop = async () => rmSync(folder, { recursive: true, force: true });
    return { url: `file:${join(folder, 'bench.db')}`, drop };
  },
  async openInserter(url) {
    const orm = await openOrm(url, 'write');
    const native = (await orm.em.getConnection().getNativeClient()) as unknown as NativeSqlite;
    return {
      async insert(rows) {
        native.exec('begin');
        for (const table of TABLES) {
          const columns = Object.keys(rows[table][0] ?? {});
          if (columns.length === 0) continue;
          const places = columns.map(() => '?').join(', ');
          const statement = native.prepare(`insert into ${table} (${columns.join(', ')}) values (${places})`);
          for (const row of rows[table]) statement.run(...columns.map((column) => row[column]));
        }
        native.exec('commit');
      },
      close: () => orm.close(true),
    };
  },
  countWrites: [
    'create table bench_writes (name text not null)',
    ...TABLES.flatMap((table) =>
      EVENTS.map(
        (event) =>
          `create trigger bench_${table}_${event} after ${event} on ${table} begin insert into bench_writes values ('${table}'); end`,
      ),
    ),
  ],
};

const ownerUrl = process.env.TEST_DATABASE_URL ?? 'postgres://postgres@127.0.0.1:5432/postgres';

async function connect(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 2_000 });
  await client.connect();
  return client;
}

async function asOwner(statement: string): Promise<void> {
  const client = await connect(ownerUrl);
  try {
    await client.query(statement);
  } finally {
    await client.end();
  }
}

const postgres: Kind = {
  name: 'Postgres',
  async create() {
    const name = `effect_models_bench_${randomBytes(6).toString('hex')}`;
    await asOwner(`create database ${name}`);
    const url = new URL(ownerUrl);
    url.pathname = `/${name}`;
    return { url: url.href, drop: () => asOwner(`drop database if exists ${name} with (force)`) };
  },
  async openInserter(url) {
    const client = await connect(url);
    return {
      async insert(rows) {
        await client.query('begin');
        for (const table of TABLES) {
          const columns = Object.keys(rows[table][0] ?? {});
          if (columns.length === 0) continue;
          const places = columns.map((_, at) => `$${at + 1}`).join(', ');
          const text = `insert into ${table} (${columns.join(', ')}) values (${places})`;
          for (const row of rows[table]) {
            await client.query({ name: table, text, values: columns.map((column) => row[column]) });
          }
        }
        await client.query('commit');
      },
      close: () => client.end(),
    };
  },
  countWrites: [
    'create table bench_writes (name text not null)',
    `create function bench_write() returns trigger language plpgsql as
      $$ begin insert into bench_writes values (tg_table_name); return null; end $$`,
    ...TABLES.map(
      (table) =>
        `create trigger bench_${table} after insert or update or delete on ${table} for each row execute function bench_write()`,
    ),
  ],
};

/** Postgres, where one answers that may create databases; else why not. */
export async function findPostgres(): Promise<Kind | string> {
  try {
    const { drop } = await postgres.create();
    await drop();
    return postgres;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Everything that a sync has stored. */
export async function readRows({ read }: Database): Promise<Rows> {
  const entries: [Table, Record<string, unknown>[]][] = [];
  for (const table of TABLES) entries.push([table, await read.selectFrom(table).selectAll().execute()]);
  return Object.fromEntries(entries) as Rows;
}

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { OPS, readCompose } from '../support/compose.ts';
import { Command } from '../support/process.ts';
import { newestEnded, postSync, PRODUCTION } from '../support/service.ts';
import { startEmbeddedPostgres } from '../support/services.ts';
import { has } from '../support/tools.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from '../support/upstream.ts';

const DATABASE = 'effect_models';

describe.skipIf(!has('psql') && !process.env.CI)('Postgres as ops/compose.yaml starts it', () => {
  let server: Awaited<ReturnType<typeof startEmbeddedPostgres>>;
  let upstream: FakeUpstream;
  let folder: string;

  /** The URL of the database for a role, as it is in ops/compose.yaml but for the host. */
  const urlFor = (service: string): string => {
    const given = new URL(readCompose().services[service]?.environment?.DATABASE_URL ?? '');
    given.host = new URL(server.url).host;
    return given.href;
  };
  const passwordFile = (role: string): string => join(folder, role, 'password');
  const query = async <Row extends pg.QueryResultRow>(url: string, text: string): Promise<Row[]> => {
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Row>(text)).rows;
    } finally {
      await client.end();
    }
  };

  beforeAll(async () => {
    upstream = await startUpstream();
    folder = mkdtempSync(join(tmpdir(), 'effect-models-passwords-'));
    for (const role of ['app', 'migrate', 'readonly']) {
      mkdirSync(join(folder, role));
      writeFileSync(passwordFile(role), `password-of-${role}\n`);
    }
    server = await startEmbeddedPostgres([
      `--config_file=${OPS}postgres/postgresql.conf`,
      '--listen_addresses=127.0.0.1',
      '--unix_socket_directories=',
    ]);
    await query(server.url, `create database ${DATABASE}`);
    // What the image does with the script, on other paths.
    const script = readFileSync(join(OPS, 'postgres/10-roles.sh'), 'utf8')
      .replaceAll('/run/database', folder)
      .replaceAll('/sql/', `${OPS}sql/`);
    const { hostname, port, username, password } = new URL(server.url);
    const { status, stderr } = spawnSync('bash', ['--norc', '-c', script], {
      encoding: 'utf8',
      env: {
        PATH: process.env.PATH,
        POSTGRES_USER: username,
        POSTGRES_DB: DATABASE,
        PGHOST: hostname,
        PGPORT: port,
        PGPASSWORD: password,
      },
    });
    expect([status, stderr]).toEqual([0, '']);
  });

  afterAll(async () => {
    await server.stop();
    rmSync(folder, { recursive: true, force: true });
    await upstream.close();
  });

  test('takes its settings', async () => {
    const settings = ['log_min_duration_statement', 'max_connections', 'shared_buffers'];
    const rows = await query<{ name: string; value: string }>(
      server.url,
      `select name, current_setting(name) as value from pg_settings where name in ('${settings.join("', '")}') order by name`,
    );
    expect(rows.map(({ value }) => value)).toEqual(['1s', '100', '512MB']);
  });

  test('em_migrate makes the schema, and em_app runs the service without being able to change it', async () => {
    const migrate = new Command('migrate', {
      DATABASE_URL: urlFor('migrate'),
      DATABASE_PASSWORD_FILE: passwordFile('migrate'),
    });
    expect(await migrate.ended()).toBe(0);

    const service = new Command('start', {
      ...upstream.urls,
      ...PRODUCTION,
      ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
      DATABASE_URL: urlFor('app-1'),
      DATABASE_PASSWORD_FILE: passwordFile('app'),
      PORT: '0',
      SYNC_CRON: 'off',
      SYNC_ON_START: 'never',
    });
    const address = await service.url();
    await postSync(address);
    expect(await newestEnded(address)).toMatchObject({ status: 'completed' });
    expect((await fetch(`${address}/v1/models?limit=1`)).status).toBe(200);
    expect(await service.end('SIGTERM')).toBe(0);

    const app = new URL(urlFor('app-1'));
    app.password = 'password-of-app';
    await expect(query(app.href, 'create table a (b int)')).rejects.toThrow('permission denied');
    await expect(query(app.href, 'drop table models')).rejects.toThrow('must be owner');
    for (const change of ['delete from', 'truncate', 'update']) {
      const statement = `${change} admin_audit${change === 'update' ? " set result = 'admitted'" : ''}`;
      await expect(query(app.href, statement)).rejects.toThrow('permission denied');
    }
  });
});

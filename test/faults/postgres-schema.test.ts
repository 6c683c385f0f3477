import { sql } from 'kysely';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { KNOWN_MIGRATIONS, ranMigrations } from '../../server/db/migrations.ts';
import { openOrm } from '../../server/db/orm.ts';
import { startApp } from '../support/app.ts';
import { DATABASES } from '../support/databases.ts';
import { Command } from '../support/process.ts';
import { environmentOn, newestEnded, postSync, PRODUCTION, withDatabase } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterAll(() => upstream.close());

const LATER = 'Migration29991231235959';

describe.each(DATABASES)('the schema, on $name', (kind) => {
  const ranOn = (environment: Record<string, string>) =>
    withDatabase(environment, ({ read, dialect }) => ranMigrations(read, dialect));

  test('P15 is newer than the code: the service starts and serves, and leaves it as it is', async () => {
    const environment = await environmentOn(upstream, kind);
    const before = await startApp(environment);
    expect(await before.sync()).toMatchObject({ status: 'completed' });
    const { data: kept } = await before.json<{ data: unknown }>('/v1/models?limit=100');
    await before.stop();
    await withDatabase(environment, async ({ write }) => {
      await sql`insert into mikro_orm_migrations (name) values (${LATER})`.execute(write);
      await sql`alter table models add column later text not null default 'as a later release has it'`.execute(
        write,
      );
      await sql`create table later (id integer primary key)`.execute(write);
    });

    const migrate = new Command('migrate', environment);
    expect(await migrate.ended()).toBe(0);
    expect(migrate.output).toBe('The database is up to date.\n');
    const service = new Command('start', { ...environment, ...PRODUCTION });
    const address = await service.url();
    const response = await fetch(`${address}/v1/models?limit=100`);
    expect(((await response.json()) as { data: unknown }).data).toEqual(kept);
    upstream.content.openrouter = upstream.content.openrouter.slice(1);
    expect((await postSync(address)).status).toBe(202);
    expect(await newestEnded(address)).toMatchObject({ status: 'completed' });
    expect(await service.end('SIGTERM')).toBe(0);
    expect(service.output).not.toMatch(/"level":60|"err":/);
    expect(await ranOn(environment)).toEqual([...KNOWN_MIGRATIONS, LATER]);
  });

  test('P15 is older than the code: the service brings it up to date, and serves', async () => {
    const environment = await environmentOn(upstream, kind);
    const orm = await openOrm(environment.DATABASE_URL ?? '', 'write');
    await orm.migrator.up({ to: KNOWN_MIGRATIONS.at(-2) ?? '' });
    await orm.close(true);
    expect(await ranOn(environment)).toEqual(KNOWN_MIGRATIONS.slice(0, -1));
    const app = await startApp(environment);
    onTestFinished(() => app.stop());
    expect(await app.sync()).toMatchObject({ status: 'completed' });
    expect(await ranOn(environment)).toEqual(KNOWN_MIGRATIONS);
  });

  test(
    'P15 is made by four services that start at once: one makes it, and all of them serve',
    { timeout: 90_000 },
    async () => {
      const environment = { ...(await environmentOn(upstream, kind)), ...PRODUCTION };
      const services = Array.from({ length: 4 }, () => new Command('start', environment));
      const addresses = await Promise.all(services.map((service) => service.url()));
      const read = async (address: string) => (await fetch(`${address}/v1/models`)).status;
      // A machine that starts four at once may be too busy for a moment.
      for (const address of addresses) await expect.poll(() => read(address), { timeout: 10_000 }).toBe(200);
      expect(await ranOn(environment)).toEqual(KNOWN_MIGRATIONS);
      for (const service of services) expect(await service.end('SIGTERM')).toBe(0);
      const said = services.filter(({ output }) => output.includes('Migrated the database'));
      expect(said).toHaveLength(1);
      for (const { output } of services) expect(output).not.toMatch(/"level":60|"err":/);
    },
  );
});

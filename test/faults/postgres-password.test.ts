import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { startApp } from '../support/app.ts';
import { ask as query } from '../support/postgres.ts';
import { environmentOf, expectNoPoison, startLoad, uncached, useScene } from './support/postgres-scene.ts';

/** Ends every connection of the service that is idle. */
const KILL_IDLE = `
  select count(pg_terminate_backend(pid))::int as killed from pg_stat_activity
  where application_name like 'effect-models %' and state = 'idle'`;

describe('the password of the database', () => {
  const scene = useScene();

  test('P16 is changed on the server and in the file, and idle connections are ended: no request fails', async () => {
    const url = new URL(await scene.copy());
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-password-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const file = join(folder, 'password');
    const role = url.username;
    const change = async (password: string) => {
      await query(scene.server.url, `alter role ${role} password '${password}'`);
      writeFileSync(file, `${password}\n`);
    };
    await change('first-Password-0815');
    url.password = '';
    const app = await startApp({ ...environmentOf(scene, url.href), DATABASE_PASSWORD_FILE: file });
    onTestFinished(() => app.stop());
    const load = startLoad(app.url, uncached, { everyMs: 20 });
    let killed = 0;
    for (let round = 0; round < 5; round += 1) {
      await change(`another-Password-${round}`);
      for (let time = 0; time < 4; time += 1) {
        const [row] = await query<{ killed: number }>(scene.server.url, KILL_IDLE);
        killed += row?.killed ?? 0;
        await sleep(100);
      }
      expect(await app.sync()).toMatchObject({ status: 'completed' });
    }
    const answers = await load.stop();
    expect(answers.filter(({ status }) => status !== 200)).toEqual([]);
    expect(answers.length).toBeGreaterThan(5);
    expect(killed).toBeGreaterThan(5);
    await expectNoPoison(app.url);
    expect(app.log.filter(({ level }) => Number(level) >= 60)).toEqual([]);
  });
});

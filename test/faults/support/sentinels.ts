import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, vi } from 'vitest';
import { freePort } from '../../support/ports.ts';
import { tell, type OwnRedis } from '../../support/redis.ts';
import { startProgram } from './alerts/program.ts';
import { ownRedis } from './redis-scene.ts';

const QUORUM = 2;
const PATIENCE = { timeout: 20_000, interval: 50 };

/** Two servers of Redis, three sentinels that watch them, and an address at which whichever of them is the master is found. */
export interface Watched {
  servers: [OwnRedis, OwnRedis];
  /** For clients that know nothing of sentinels. */
  url: string;
  /** What Redis says to be: master or slave. */
  roleOf(redis: OwnRedis): Promise<unknown>;
}

/** Starts them all; the first server is the master. */
export async function startWatched(): Promise<Watched> {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-sentinels-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const servers: Watched['servers'] = [await ownRedis(), await ownRedis()];
  const [master, replica] = servers;
  await replica.command('REPLICAOF', '127.0.0.1', String(master.port));

  const sentinels = [await freePort(), await freePort(), await freePort()];
  for (const port of sentinels) {
    const config = join(folder, `sentinel-${port}.conf`);
    writeFileSync(
      config,
      [
        `port ${port}`,
        'bind 127.0.0.1',
        `dir ${folder}`,
        `sentinel monitor catalog 127.0.0.1 ${master.port} ${QUORUM}`,
        'sentinel down-after-milliseconds catalog 500',
        'sentinel failover-timeout catalog 3000',
        '',
      ].join('\n'),
    );
    startProgram('redis-server', [config, '--sentinel'], { finish: onTestFinished });
  }
  await vi.waitFor(async () => {
    for (const port of sentinels) {
      const url = `redis://127.0.0.1:${port}`;
      const [quorum, replicas, others] = await tell(
        url,
        ['SENTINEL', 'CKQUORUM', 'catalog'],
        ['SENTINEL', 'REPLICAS', 'catalog'],
        ['SENTINEL', 'SENTINELS', 'catalog'],
      );
      expect(quorum).toMatch(/^OK 3 usable/);
      expect([replicas, others]).toMatchObject([{ length: 1 }, { length: 2 }]);
    }
  }, PATIENCE);
  return {
    servers,
    url: await startFront(servers, folder),
    roleOf: async (redis) => ((await redis.command('ROLE')) as unknown[])[0],
  };
}

/** Starts HAProxy before servers of which it lets those through that call themselves master. */
async function startFront(servers: OwnRedis[], folder: string): Promise<string> {
  const port = await freePort();
  const config = join(folder, 'haproxy.cfg');
  writeFileSync(
    config,
    `
defaults
  mode tcp
  timeout connect 500ms
  timeout client 1h
  timeout server 1h
listen redis
  bind 127.0.0.1:${port}
  option tcp-check
  tcp-check connect
  tcp-check send info\\ replication\\r\\n
  tcp-check expect string role:master
  default-server check inter 100ms fall 2 rise 2 on-marked-down shutdown-sessions
${servers.map((server, at) => `  server redis-${at} 127.0.0.1:${server.port}`).join('\n')}
`,
  );
  startProgram('haproxy', ['-db', '-f', config], { finish: onTestFinished });
  const url = `redis://127.0.0.1:${port}`;
  await vi.waitFor(() => tell(url, ['PING']), PATIENCE);
  return url;
}

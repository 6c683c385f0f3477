import { Writable } from 'node:stream';
import { pino } from 'pino';
import { createApp, type App } from '../../server/app.ts';
import { TIMES, type Times } from '../../server/ports.ts';
import { readConfig, type World } from '../../server/config.ts';
import type { SyncRun } from '../../contracts/sync.ts';

/** A secret that the configuration takes. */
export const ADMIN_SECRET = 'test-Secret-7Qm2vXk9LpR4sTw8ZbN3cJh6Fy1Dg5Ea0Uo';

/** A running service on loopback. */
export interface TestApp extends App {
  url: string;
  /** Lines of the log so far, as JSON objects. */
  log: Record<string, unknown>[];
  /** GETs a path. */
  get: (path: string, headers?: Record<string, string>) => Promise<Response>;
  /** GETs a path as JSON. */
  json: <Body = Record<string, unknown>>(path: string, headers?: Record<string, string>) => Promise<Body>;
  /** Starts a sync through the API and waits until it has ended. */
  sync: (query?: string) => Promise<SyncRun>;
}

/** Starts the service with real parts, listening on a free port of loopback. */
export async function startApp(
  environment: Record<string, string>,
  { world = 'dev', times = {} }: { world?: World; times?: Partial<Times> } = {},
): Promise<TestApp> {
  const config = readConfig(world, {
    command: 'serve',
    environment: {
      SYNC_CRON: 'off',
      SYNC_ON_START: 'never',
      RATE_LIMIT_PER_MINUTE: '0',
      HOST: '127.0.0.1',
      PORT: '0',
      ...(world === 'production' ? { ADMIN_SECRET } : {}),
      ...environment,
    },
  });
  const log: TestApp['log'] = [];
  const lines = new Writable({
    write(chunk: Buffer, _encoding, done) {
      log.push(JSON.parse(chunk.toString()) as Record<string, unknown>);
      done();
    },
  });
  const app = await createApp(config, pino({ level: 'debug' }, lines), {
    ...TIMES,
    drainDelayMs: 0,
    // What a test does on the loop that it shares with the service is no overload.
    maxLoopDelayMs: 0,
    ...times,
  });
  await app.prepare();
  const url = await app.http.listen({ host: config.host, port: config.port });
  const adminHeaders = { 'x-admin': world === 'dev' ? 'true' : ADMIN_SECRET };
  const get: TestApp['get'] = (path, headers = {}) => fetch(url + path, { headers });
  const json = async <Body>(path: string, headers: Record<string, string> = {}) =>
    (await (await get(path, headers)).json()) as Body;
  return {
    ...app,
    url,
    log,
    get,
    json,
    async sync(query = '') {
      const post = () => fetch(`${url}/v1/admin/sync${query}`, { method: 'POST', headers: adminHeaders });
      let response = await post();
      for (let again = 0; response.status === 503 && again < 5; again += 1) {
        await new Promise((resolve) => setTimeout(resolve, 500));
        response = await post();
      }
      if (response.status !== 202)
        throw new Error(`POST /v1/admin/sync answered ${response.status}: ${await response.text()}`);
      const location = response.headers.get('location') ?? '';
      for (;;) {
        const answer = await get(location, adminHeaders);
        // A busy machine may keep the database from answering in time.
        if (answer.status !== 503) {
          const { data } = (await answer.json()) as { data: SyncRun };
          if (data.status !== 'running') return data;
        }
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
    },
  };
}

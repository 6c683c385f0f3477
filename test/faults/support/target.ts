import { readFileSync } from 'node:fs';
import { request, type IncomingHttpHeaders } from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import { startApp, type TestApp } from '../../support/app.ts';
import { DATABASES } from '../../support/databases.ts';
import { AA_KEY, startUpstream } from '../../support/upstream.ts';

const DOCUMENT = new URL('../../../openapi/openapi.json', import.meta.url);

/** A path of the published document as a request spells it, and the methods that it takes. */
export interface Path {
  path: string;
  methods: string[];
}

/** A service as it runs in production, with a catalogue. */
export interface Target {
  app: TestApp;
  port: number;
  /** Every path of the document. */
  paths: Path[];
  /** What can be read without a secret and has an end: paths of the document, and pages that are not in it. */
  pages: string[];
  /** The environment of the service: another one on it has the same catalogue. */
  environment: Record<string, string>;
  /** How many syncs there were. */
  runs(): Promise<number>;
  close(): Promise<void>;
}

/** An answer as it came: nothing is decoded. */
export interface Plain {
  status: number;
  headers: IncomingHttpHeaders;
  body: Buffer;
}

/** Sends a request with these headers and no others, over a connection of its own. */
export function ask(
  { url }: { url: string },
  path: string,
  headers: Record<string, string> = {},
  method = 'GET',
): Promise<Plain> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    const sent = request({ hostname, port, path, method, headers, agent: false }, (response) => {
      const pieces: Buffer[] = [];
      response.on('data', (piece: Buffer) => pieces.push(piece)).on('error', reject);
      response.on('end', () =>
        resolve({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(pieces),
        }),
      );
    });
    sent.on('error', reject).end();
  });
}

/** What is served beside the document. */
const OTHERS = [
  '/',
  '/docs',
  '/docs/',
  '/docs/start.js',
  '/openapi.json',
  '/openapi.yaml',
  '/status',
  '/status/style.css',
];
const STREAM = '/v1/changes/stream';
/** What operations have to be asked for. */
const QUERIES: Record<string, string> = { '/v1/resolve': '?id=gpt-5-mini' };

/** Starts a service on SQLite, and syncs it once. */
export async function startTarget(environment: Record<string, string> = {}): Promise<Target> {
  const upstream = await startUpstream();
  const database = await DATABASES[0].create();
  const whole = {
    ...upstream.urls,
    ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY,
    DATABASE_URL: database.url,
    ...environment,
  };
  const app = await startApp(whole, { world: 'production' });
  // A machine that is busy with other tests may shed the first requests.
  while ((await app.get('/v1/status')).status === 503) await sleep(100);
  const { id } = await app.sync();
  const values: Record<string, string> = { creator: 'openai', slug: 'gpt-5-mini', id };
  const document = JSON.parse(readFileSync(DOCUMENT, 'utf8')) as { paths: Record<string, object> };
  const paths = Object.entries(document.paths).map(([path, item]) => {
    const methods = Object.keys(item).map((method) => method.toUpperCase());
    return {
      path: path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? ''),
      methods: methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])),
    };
  });
  const readable = paths.filter(
    ({ path, methods }) => methods.includes('GET') && path !== STREAM && !path.startsWith('/v1/admin/'),
  );
  return {
    app,
    port: Number(new URL(app.url).port),
    paths,
    environment: whole,
    pages: [...readable.map(({ path }) => path + (QUERIES[path] ?? '')), ...OTHERS],
    runs: async () => (await app.database.read.selectFrom('sync_runs').select('id').execute()).length,
    async close() {
      await app.stop();
      await database.drop();
      await upstream.close();
    },
  };
}

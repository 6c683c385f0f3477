import { createHash } from 'node:crypto';
import type { Incident } from '../../contracts/incidents.ts';
import type { StatusPage } from '../../server/services/status-summary.ts';
import { Readable } from 'node:stream';
import { pino } from 'pino';
import { onTestFinished } from 'vitest';
import { ApiError } from '../../contracts/errors.ts';
import { createRouter, type Handlers } from '../../contracts/index.ts';
import type { Model } from '../../contracts/models.ts';
import type { AdminCall, Context } from '../../contracts/operation.ts';
import { createAdminGate } from '../../server/http/admin.ts';
import type { AnswerCache } from '../../server/http/answer-cache.ts';
import { createFailureLimiter } from '../../server/http/failure-limit.ts';
import { createRateLimiter } from '../../server/http/rate-limit.ts';
import type { RawAnswers } from '../../server/http/raw.ts';
import { createMetrics } from '../../server/metrics/metrics.ts';
import { createHttpServer } from '../../server/http/server.ts';
import type { Finish } from '../support/process.ts';

/** An admin secret that the edge under test accepts in production. */
export const SECRET = 'k3Jx0pQv8mTz5RwYb2LnHd7FsUg9CeAi4Vo1XqZtNyM';

/** The digest of a secret, as the configuration holds it. */
export const digestOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();

const time = '2026-07-01T00:00:00.000Z';
const meta = { catalogVersion: 7 };
const prices = {
  input: 2.5,
  output: 10,
  cacheRead: null,
  cacheWrite: null,
  cacheWrite1h: null,
  reasoning: null,
  audioInput: null,
  audioOutput: null,
  audioCacheRead: null,
  imageInput: null,
  imageOutput: null,
  perImage: null,
  perRequest: null,
  perSearch: null,
};

/** A model as the catalogue publishes it. */
export const model: Model = {
  id: 'openai/gpt-4o',
  kind: 'model',
  target: null,
  since: null,
  name: 'GPT-4o',
  creator: 'openai',
  creatorName: 'OpenAI',
  family: null,
  description: 'A model. '.repeat(200),
  modalities: { input: ['text'], output: ['text'] },
  capabilities: ['tools'],
  parameters: [],
  reasoning: null,
  limits: { context: 128_000, input: null, output: 16_384 },
  pricing: { status: 'known', provider: 'openai', ...prices, discount: null, tiers: [] },
  openWeights: false,
  parameterCount: null,
  tokenizer: null,
  task: null,
  baseModels: [],
  languages: [],
  library: null,
  gated: null,
  license: null,
  links: [],
  releaseDate: '2024-05-13',
  lastUpdated: null,
  knowledgeCutoff: null,
  stage: null,
  lifecycle: { status: 'active', date: null, successor: null, source: null },
  popularity: { downloads: null, downloadsAllTime: null, likes: null },
  benchmarks: [],
  attributions: [],
  providers: ['openai'],
  sources: [],
  firstSeenAt: time,
  updatedAt: time,
};

/** One call that reached a handler. */
export interface Call {
  name: string;
  input: unknown;
}

/** Handlers small enough to see through; a slug can ask for each kind of failure. */
function createHandlers(calls: Call[]): Handlers {
  const seen = (name: string, input: unknown) => calls.push({ name, input });
  const health = { status: 'ok', timestamp: time, version: '1.0.0' } as const;
  const page = (input: { limit: number; offset: number }) => ({
    ...meta,
    ...input,
    total: 0,
    nextCursor: null,
  });
  return {
    health: {
      get: async () => health,
      live: async () => health,
      ready: async () =>
        Promise.reject(new ApiError('SERVICE_UNAVAILABLE', 'The database is being migrated.')),
    },
    status: {
      summary: async () => ({ data: await emptyPage.summary(), meta, timestamp: time }),
      get: async () => ({
        data: { catalogVersion: 7, models: 1, lastSync: null, runningSync: null, nextSyncAt: null },
        meta,
        timestamp: time,
      }),
    },
    models: {
      list: async (input) => {
        seen('models.list', input);
        return {
          data: [model],
          meta: { ...page({ limit: input.limit, offset: input.offset }), total: 1 },
          timestamp: time,
        };
      },
      get: async (input) => {
        seen('models.get', input);
        if (input.slug === 'missing') throw new ApiError('NOT_FOUND', 'There is no model openai/missing.');
        if (input.slug === 'sql') throw new Error('select * from models where id = $1 -- /node_modules/pg');
        const data = { ...model, id: input.slug === 'bad' ? 'not an id' : model.id, offers: [], records: [] };
        return { data, meta, timestamp: time };
      },
      offers: async ({ limit, offset }) => ({
        data: [],
        meta: { ...page({ limit, offset }), modelId: model.id },
        timestamp: time,
      }),
      history: () => Promise.reject(new Error('not asked here')),
    },
    resolve: {
      get: async () =>
        Promise.reject(new ApiError('NOT_FOUND', 'There is no such name.', { extra: { hints: [] } })),
      many: async () => ({ data: [], meta, timestamp: time }),
    },
    changes: { list: () => Promise.reject(new Error('not asked here')) },
    lifecycle: {
      list: async ({ limit, offset }) => ({ data: [], meta: page({ limit, offset }), timestamp: time }),
    },
    conflicts: {
      list: async (input) => ({
        data: [],
        meta: page({ limit: input.limit, offset: input.offset }),
        timestamp: time,
      }),
    },
    providers: { list: async (input) => ({ data: [], meta: page(input), timestamp: time }) },
    incidents: { list: async (input) => ({ data: [], meta: page(input), timestamp: time }) },
    sources: { list: async (input) => ({ data: [], meta: page(input), timestamp: time }) },
    admin: {
      sync: {
        start: async (input, context: Context) => {
          seen('admin.sync.start', input);
          context.setHeader('Location', '/v1/admin/sync/sync_1');
          return { data: { id: 'sync_1', status: 'running', startedAt: time }, meta, timestamp: time };
        },
        history: async (input) => ({ data: [], meta: page(input), timestamp: time }),
        get: async ({ id }) => Promise.reject(new ApiError('NOT_FOUND', `There is no run ${id}.`)),
      },
      incidents: {
        open: async (input) => {
          seen('admin.incidents.open', input);
          return { data: incident, meta, timestamp: time };
        },
        update: async (input) => {
          seen('admin.incidents.update', input);
          return { data: incident, meta, timestamp: time };
        },
      },
    },
  };
}

const incident: Incident = {
  id: 'inc_1',
  kind: 'incident',
  title: 'Slow answers',
  severity: 3,
  status: 'investigating',
  startsAt: time,
  endsAt: null,
  updatedAt: time,
  updates: [{ at: time, status: 'investigating', message: 'We are looking into it.' }],
};

/** A status page of a service that has seen nothing yet. */
const emptyPage: StatusPage = {
  renew: () => {},
  summary: async () => ({
    state: 'ok',
    message: 'Everything works.',
    version: '1.0.0',
    asOf: null,
    nextSyncAt: null,
    catalogVersion: null,
    models: null,
    lastSync: null,
    runningSync: null,
    syncs: [],
    sources: [],
    uptime: { day: null, week: null, quarter: null, days: [] },
    latency: [],
    incidents: [incident],
    maintenance: [],
    history: [],
  }),
};

/** The same for what is not JSON. */
function createRawHandlers(calls: Call[]): RawAnswers {
  return {
    'changes.atom': async (input) => {
      calls.push({ name: 'changes.atom', input });
      return {
        catalog: { version: 7, committedAt: time },
        body: `<?xml version="1.0"?>${'<a/>'.repeat(500)}`,
      };
    },
    'changes.stream': async (input) => {
      calls.push({ name: 'changes.stream', input });
      return Readable.from([': 1\n\n', ': 2\n\n']);
    },
  };
}

/** A cache that keeps everything, keyed by what it was asked. */
function createAnswers(): AnswerCache {
  const kept = new Map<string, string>();
  return {
    async serve({ operation, input, load }) {
      const key = `${operation} ${JSON.stringify(input)}`;
      const body = kept.get(key);
      if (body !== undefined) return { body, state: 'hit' };
      const made = await load();
      kept.set(key, made.body);
      return { body: made.body, state: 'miss' };
    },
  };
}

/** A listening edge, and what happened behind it. */
export interface Edge {
  url: string;
  port: number;
  calls: Call[];
  /** Admin calls that were admitted. */
  recorded: AdminCall[];
  /** Log lines, parsed. */
  logs: { level: number; msg: string; requestId?: string }[];
  /** Log lines as they were written. */
  logText(): string;
}

/** Starts a real server on a free port of loopback; it is closed when the test is finished. */
export async function startEdge(
  options: {
    world?: 'dev' | 'production';
    secrets?: string[];
    perMinute?: number;
    trustedProxies?: string[];
    isDraining?: () => boolean;
    finish?: Finish;
  } = {},
): Promise<Edge> {
  const { world = 'production', secrets = [SECRET], perMinute = 0, trustedProxies = [] } = options;
  const { finish = onTestFinished } = options;
  const calls: Call[] = [];
  const recorded: AdminCall[] = [];
  const lines: string[] = [];
  const app = createHttpServer({
    router: createRouter(createHandlers(calls)),
    raw: createRawHandlers(calls),
    config: { role: 'all', trustedProxies },
    admin: createAdminGate({
      world,
      secrets: secrets.map((secret) => ({ name: 'ADMIN_SECRET', hash: digestOf(secret) })),
      metricsTokenHash: null,
      onRefused: () => {},
      failures: createFailureLimiter({ redis: null }),
    }),
    audit: {
      admitted: async (_caller, _key, call) => void recorded.push(call),
      configured: () => Promise.resolve(),
      refused: () => {},
    },
    limiter: createRateLimiter({ perMinute, redis: null }),
    answers: createAnswers(),
    page: emptyPage,
    metrics: createMetrics({ version: '1.0.0' }),
    metricsPage: () => Promise.resolve({ type: 'text/plain', body: '' }),
    toApiError: (error) => (error instanceof Error ? error : new Error(String(error))),
    logger: pino({ level: 'debug' }, { write: (line) => void lines.push(line) }),
    maxLoopDelayMs: 0,
    answerDeadlineMs: 60_000,
    isDraining: options.isDraining ?? (() => false),
  });
  finish(async () => {
    await app.close();
  });
  const url = await app.listen({ host: '127.0.0.1', port: 0 });
  return {
    url,
    port: Number(new URL(url).port),
    calls,
    recorded,
    get logs() {
      return lines.map((line) => JSON.parse(line) as Edge['logs'][number]);
    },
    logText: () => lines.join(''),
  };
}

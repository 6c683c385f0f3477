import { createHash } from 'node:crypto';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fixtureContent } from './fixtures.ts';

/** The key that the fake Artificial Analysis accepts. */
export const AA_KEY = 'aa-key-of-the-fake-upstream';

/** What the four fake services hold; a large list is serialised once, so replace it rather than change it in place. */
export interface UpstreamContent {
  modelsDevApi: object;
  /** null: 404. */
  modelsDevModels: object | null;
  openrouter: object[];
  huggingface: object[];
  artificialAnalysis: object[];
  /** A whole answer of the retired shape, given in place of the rows above. */
  artificialAnalysisRetired: object | null;
  indexVersion: string;
  /** openrouter null: everything on one page unless the request asks for less. */
  pageSize: { openrouter: number | null; artificialAnalysis: number };
}

/** A request that came in; `path` has the query, `status` is 0 until headers are sent. */
export interface SeenRequest {
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  readonly status: number;
}

/** Answers a request in place of the service, or leaves it to `next`. */
export type Handler = (req: IncomingMessage, res: ServerResponse, next: () => void) => void;

/** The four upstream services on one loopback port. */
export interface FakeUpstream {
  urls: {
    MODELS_DEV_URL: string;
    OPENROUTER_URL: string;
    HUGGINGFACE_URL: string;
    ARTIFICIAL_ANALYSIS_URL: string;
  };
  content: UpstreamContent;
  requests: SeenRequest[];
  /** Puts `handler` before the services for paths (with query) that match; the newest goes first. Returns its removal. */
  script(matcher: (path: string) => boolean, handler: Handler): () => void;
  /** Back to the beginning: the fixture content, no scripts, no requests. */
  reset(): void;
  close(): Promise<void>;
}

/** Starts the fake upstream with the fixture content. */
export async function startUpstream(): Promise<FakeUpstream> {
  let scripts: { matcher: (path: string) => boolean; handler: Handler }[] = [];
  const server = createServer((req, res) => {
    const path = req.url ?? '/';
    fake.requests.push({
      method: req.method ?? '',
      path,
      headers: req.headers,
      get status() {
        return res.headersSent ? res.statusCode : 0;
      },
    });
    const handlers = scripts.filter(({ matcher }) => matcher(path)).map(({ handler }) => handler);
    const next = (): void => {
      const handler = handlers.shift();
      if (handler) handler(req, res, next);
      else serve(new URL(path, origin), req, res, fake.content);
    };
    next();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;

  const fake: FakeUpstream = {
    urls: {
      MODELS_DEV_URL: `${origin}/modelsdev`,
      OPENROUTER_URL: `${origin}/openrouter/api/v1`,
      HUGGINGFACE_URL: `${origin}/huggingface`,
      ARTIFICIAL_ANALYSIS_URL: `${origin}/artificialanalysis/api/v2`,
    },
    content: fixtureContent(),
    requests: [],
    script(matcher, handler) {
      const script = { matcher, handler };
      scripts.unshift(script);
      return () => void (scripts = scripts.filter((other) => other !== script));
    },
    reset() {
      scripts = [];
      fake.requests.length = 0;
      fake.content = fixtureContent();
    },
    async close() {
      const closed = new Promise((resolve) => server.close(resolve));
      server.closeAllConnections();
      await closed;
    },
  };
  return fake;
}

function serve(url: URL, req: IncomingMessage, res: ServerResponse, content: UpstreamContent): void {
  const [, service, ...rest] = url.pathname.split('/');
  const path = `/${rest.join('/')}`;
  if (req.method !== 'GET') return fail(res, 405, 'Method not allowed');
  if (service === 'modelsdev') return modelsDev(path, req, res, content);
  if (service === 'openrouter' && path === '/api/v1/models') return openRouter(url, req, res, content);
  if (service === 'huggingface' && path === '/api/models') return huggingFace(url, req, res, content);
  if (service === 'artificialanalysis') return artificialAnalysis(url, path, req, res, content);
  fail(res, 404, 'Not found');
}

function modelsDev(path: string, req: IncomingMessage, res: ServerResponse, content: UpstreamContent): void {
  if (path === '/') {
    res
      .writeHead(200, { 'content-type': 'text/html; charset=utf-8' })
      .end('<!doctype html><title>Models</title>');
  } else if (path === '/api.json') {
    sendTagged(req, res, bodyOf(content.modelsDevApi));
  } else if (path === '/models.json') {
    if (content.modelsDevModels === null) fail(res, 404, 'Not found');
    else sendTagged(req, res, bodyOf(content.modelsDevModels));
  } else {
    res.writeHead(302, { location: '/modelsdev/' }).end();
  }
}

function openRouter(url: URL, req: IncomingMessage, res: ServerResponse, content: UpstreamContent): void {
  const rows = content.openrouter;
  const { searchParams: query } = url;
  const asked = query.has('limit') || query.has('offset') ? Number(query.get('limit') ?? 1000) : rows.length;
  const size = Math.min(asked, content.pageSize.openrouter ?? 1000 * 1000);
  const offset = Number(query.get('offset') ?? 0);
  const body = bodyOf(rows, `${url.href} ${size}`, () => {
    const next = new URL(url);
    next.searchParams.set('offset', String(offset + size));
    next.searchParams.set('limit', String(size));
    return {
      data: rows.slice(offset, offset + size),
      total_count: rows.length,
      links: { next: offset + size < rows.length ? next.href : null },
    };
  });
  sendTagged(req, res, body);
}

/** What a list holds of a repository unless `full` or `expand` asks otherwise. */
const REPOSITORY_FIELDS = [
  '_id',
  'id',
  'likes',
  'trendingScore',
  'private',
  'downloads',
  'tags',
  'pipeline_tag',
  'library_name',
  'createdAt',
  'modelId',
];

function huggingFace(url: URL, req: IncomingMessage, res: ServerResponse, content: UpstreamContent): void {
  if (!req.headers['user-agent']) return fail(res, 401, 'Unauthorized');
  const { searchParams: query } = url;
  const limit = Math.min(Number(query.get('limit') ?? 1000), 1000);
  const sort = query.get('sort') ?? 'trendingScore';
  const expand = [...query.getAll('expand'), ...query.getAll('expand[]')];
  const fields = expand.length > 0 ? ['_id', 'id', ...expand] : REPOSITORY_FIELDS;

  const rank = (item: object): number => Number((item as Record<string, unknown> | null)?.[sort] ?? 0);
  const key = (item: object): string => String((item as { _id?: unknown } | null)?._id);
  const sorted = content.huggingface.toSorted((a, b) => rank(b) - rank(a) || (key(a) < key(b) ? -1 : 1));
  const cursor = query.get('cursor');
  const after = cursor === null ? null : readCursor(cursor, sort);
  const rest =
    after === null
      ? sorted
      : sorted.filter(
          (item) => rank(item) < after.rank || (rank(item) === after.rank && key(item) > after.key),
        );
  const page = rest.slice(0, limit);

  const last = page.at(-1);
  if (last && rest.length > limit) {
    const next = new URL(url);
    next.searchParams.set('cursor', writeCursor({ rank: rank(last), key: key(last) }, sort));
    res.setHeader('link', `<${next.href}>; rel="next"`);
  }
  res.setHeader('ratelimit', '"api";r=499;t=300');
  res.setHeader('ratelimit-policy', '"fixed window";"api";q=500;w=300');
  const body =
    query.get('full') === 'true' && expand.length === 0 ? page : page.map((item) => pick(item, fields));
  send(res, Buffer.from(JSON.stringify(body)));
}

/** Cursors are predicates over the sort key, as the Hub's are, so a list that changes meanwhile repeats or skips. */
function writeCursor(after: { rank: number; key: string }, sort: string): string {
  const predicate = {
    $or: [{ [sort]: after.rank, _id: { $gt: after.key } }, { [sort]: { $lt: after.rank } }, { [sort]: null }],
  };
  return Buffer.from(JSON.stringify(predicate)).toString('base64');
}

function readCursor(cursor: string, sort: string): { rank: number; key: string } {
  const predicate = JSON.parse(Buffer.from(cursor, 'base64').toString()) as {
    $or: [Record<string, unknown> & { _id: { $gt: string } }];
  };
  const [first] = predicate.$or;
  return { rank: Number(first[sort]), key: first._id.$gt };
}

function pick(item: object, fields: string[]): object {
  if (item === null || typeof item !== 'object') return item;
  return Object.fromEntries(Object.entries(item).filter(([name]) => fields.includes(name)));
}

function artificialAnalysis(
  url: URL,
  path: string,
  req: IncomingMessage,
  res: ServerResponse,
  content: UpstreamContent,
): void {
  if (req.headers['x-api-key'] !== AA_KEY) return fail(res, 401, 'Invalid API key');
  const { artificialAnalysisRetired: retired, artificialAnalysis: rows } = content;
  const isFree = path === '/api/v2/language/models/free';
  if (retired !== null && (isFree || path === '/api/v2/data/llms/models')) return send(res, bodyOf(retired));
  if (!isFree) return fail(res, 404, 'Not found');
  const page = Number(url.searchParams.get('page') ?? 1);
  const size = content.pageSize.artificialAnalysis;
  const pages = Math.max(1, Math.ceil(rows.length / size));
  const body = {
    tier: 'free',
    intelligence_index_version: content.indexVersion,
    pagination: { page, page_size: size, total_pages: pages, has_more: page < pages },
    data: rows.slice((page - 1) * size, page * size),
  };
  res.setHeader('x-ratelimit-limit', '100');
  res.setHeader('x-ratelimit-remaining', '99');
  send(res, Buffer.from(JSON.stringify(body)));
}

const bodies = new WeakMap<object, Map<string, Buffer>>();

/** The bytes of a body, kept by the object that it is made from where they are many. */
function bodyOf(source: object, variant = '', build: () => object = () => source): Buffer {
  const kept = bodies.get(source)?.get(variant);
  if (kept) return kept;
  const body = Buffer.from(JSON.stringify(build()));
  if (body.byteLength > 256 * 1024) {
    const variants = bodies.get(source) ?? new Map<string, Buffer>();
    bodies.set(source, variants.set(variant, body));
  }
  return body;
}

function sendTagged(req: IncomingMessage, res: ServerResponse, body: Buffer): void {
  const etag = `"${createHash('sha256').update(body).digest('hex').slice(0, 32)}"`;
  res.setHeader('etag', etag);
  if (req.headers['if-none-match'] === etag) res.writeHead(304).end();
  else send(res, body);
}

function send(res: ServerResponse, body: Buffer): void {
  res.writeHead(200, {
    'content-type': 'application/json; charset=utf-8',
    'content-length': body.byteLength,
  });
  res.end(body);
}

function fail(res: ServerResponse, status: number, error: string): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify({ error }));
}

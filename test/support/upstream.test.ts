import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { hasPayloads, recordedContent } from './payloads.ts';
import { AA_KEY, startUpstream, type FakeUpstream } from './upstream.ts';

let upstream: FakeUpstream;
beforeAll(async () => {
  upstream = await startUpstream();
});
afterEach(() => upstream.reset());
afterAll(() => upstream.close());

interface Page {
  data: { id: string }[];
  links: { next: string | null };
  pagination: object;
}

async function read<T>(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ body: T; answer: Response }> {
  const answer = await fetch(url, { headers });
  return { body: (await answer.json()) as T, answer };
}

it('models.dev serves both files with an ETag, and redirects what it does not know', async () => {
  const url = upstream.urls.MODELS_DEV_URL;
  const { body, answer } = await read(`${url}/api.json`);
  expect(body).toEqual(JSON.parse(JSON.stringify(upstream.content.modelsDevApi)));
  const etag = answer.headers.get('etag') ?? '';
  expect((await fetch(`${url}/api.json`, { headers: { 'if-none-match': etag } })).status).toBe(304);
  expect((await fetch(`${url}/models.json`)).status).toBe(200);
  upstream.content.modelsDevModels = null;
  expect((await fetch(`${url}/models.json`)).status).toBe(404);
  expect((await fetch(`${url}/nothing.json`)).headers.get('content-type')).toContain('text/html');
});

it('OpenRouter serves one page, or several by offset', async () => {
  const ids = upstream.content.openrouter.map((row) => (row as { id: string }).id);
  const whole = await read<Page>(`${upstream.urls.OPENROUTER_URL}/models`);
  expect(whole.body).toMatchObject({ total_count: 8, links: { next: null } });
  upstream.content.pageSize.openrouter = 3;
  const seen: string[] = [];
  for (let next: string | null = `${upstream.urls.OPENROUTER_URL}/models?output_modalities=all`; next;) {
    const { body }: { body: Page } = await read<Page>(next);
    seen.push(...body.data.map(({ id }) => id));
    next = body.links.next;
  }
  expect(seen).toEqual(ids);
});

it('Hugging Face is walked by cursor in the order asked for, in the fields asked for', async () => {
  const seen: string[] = [];
  let next = `${upstream.urls.HUGGINGFACE_URL}/api/models?sort=downloads&limit=4&expand=downloads&expand=gated`;
  while (next) {
    const { body, answer } = await read<{ id: string; downloads: number }[]>(next);
    seen.push(...body.map(({ id }) => id));
    expect(Object.keys(body[0] ?? {}).sort()).toEqual(['_id', 'downloads', 'gated', 'id']);
    next = /<(.+)>; rel="next"/.exec(answer.headers.get('link') ?? '')?.[1] ?? '';
  }
  expect(seen).toHaveLength(6);
  expect(new Set(seen).size).toBe(6);
  expect(seen[0]).toBe('sentence-transformers/all-MiniLM-L6-v2');
});

it('Artificial Analysis wants its key and counts its pages', async () => {
  const url = `${upstream.urls.ARTIFICIAL_ANALYSIS_URL}/language/models/free`;
  expect((await fetch(url)).status).toBe(401);
  upstream.content.pageSize.artificialAnalysis = 2;
  const { body } = await read<Page>(`${url}?page=3`, { 'x-api-key': AA_KEY });
  expect(body.data).toHaveLength(1);
  expect(body.pagination).toEqual({ page: 3, page_size: 2, total_pages: 3, has_more: false });
});

it('scripts answer first, the newest before older ones, until they are taken away', async () => {
  const url = `${upstream.urls.OPENROUTER_URL}/models`;
  upstream.script(
    () => true,
    (_req, res) => res.writeHead(500).end(),
  );
  const remove = upstream.script(
    (path) => path.endsWith('?x=1'),
    (_req, res) => res.writeHead(429).end(),
  );
  expect((await fetch(`${url}?x=1`)).status).toBe(429);
  expect((await fetch(url)).status).toBe(500);
  remove();
  expect((await fetch(`${url}?x=1`)).status).toBe(500);
  expect(upstream.requests.map(({ status }) => status)).toEqual([429, 500, 500]);
  upstream.reset();
  expect((await fetch(url)).status).toBe(200);
});

it.skipIf(!hasPayloads)('the recorded answers are served whole', async () => {
  upstream.content = recordedContent({ huggingface: 1500 });
  const { body } = await read<Page>(`${upstream.urls.OPENROUTER_URL}/models`);
  expect(body.data).toHaveLength(338);
  const first = await read<{ id: string; downloads: number }[]>(
    `${upstream.urls.HUGGINGFACE_URL}/api/models?sort=downloads&limit=5000`,
  );
  expect(first.body).toHaveLength(1000);
  expect(first.answer.headers.get('link')).toContain('cursor=');
  const ids = upstream.content.huggingface.map((item) => (item as { id: string }).id);
  expect(new Set(ids).size).toBe(1500);
  expect(first.body.map(({ id }) => id)).toEqual(ids.slice(0, 1000));
  const rows = await read<Page>(`${upstream.urls.ARTIFICIAL_ANALYSIS_URL}/language/models/free`, {
    'x-api-key': AA_KEY,
  });
  expect(rows.body.data.length).toBeGreaterThan(500);
});

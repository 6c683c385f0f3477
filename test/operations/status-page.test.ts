import { join } from 'node:path';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { StatusSummary } from '../../contracts/status-summary.ts';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { DATABASES } from '../support/databases.ts';
import { storeSamples } from '../support/samples.ts';
import { ADMIN, startSynced, type Served } from '../support/synced.ts';

const DAY_MS = 24 * 60 * 60_000;

const post = (served: Served, path: string, body: object) =>
  fetch(served.app.url + path, {
    method: 'POST',
    headers: { ...ADMIN, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });

async function summaryOf({ app }: Served): Promise<StatusSummary> {
  return (await app.json<{ data: StatusSummary }>('/v1/status/summary')).data;
}

/** Plants samples: the database away for half of the day before yesterday, degraded for half of yesterday. */
async function plant({ app: { database } }: Served, now: number): Promise<void> {
  const midnight = Math.floor(now / DAY_MS) * DAY_MS;
  await storeSamples(database, {
    from: midnight - 2 * DAY_MS,
    count: 288,
    change: (index) => (index < 144 ? { ok: 0 } : {}),
  });
  await storeSamples(database, {
    from: midnight - DAY_MS,
    count: 288,
    change: () => ({ ok: 30, degraded: 30 }),
  });
}

describe.each(DATABASES)('the status page on $name', ({ create }) => {
  let served: Served;
  const now = Date.now();
  beforeAll(async () => {
    served = await startSynced(create);
    await plant(served, now);
  });
  afterAll(() => served.close());

  test('says how data, sources and uptime stand', async () => {
    const summary = await summaryOf(served);
    expect(summary).toMatchObject({
      state: 'ok',
      message: 'Everything works.',
      catalogVersion: 1,
      models: 14,
    });
    expect(summary.lastSync?.status).toBe('completed');
    expect(summary.syncs).toHaveLength(1);
    expect(summary.sources.map(({ id, status }) => [id, status])).toEqual([
      ['models.dev', 'ok'],
      ['openrouter', 'ok'],
      ['huggingface', 'ok'],
      ['artificialanalysis', 'ok'],
    ]);
    const { days, quarter } = summary.uptime;
    expect(days).toHaveLength(90);
    expect(days.at(-2)).toMatchObject({ up: 1, degraded: 0.5, measured: 1 });
    expect(days.at(-3)).toMatchObject({ up: 0.5, degraded: 0, measured: 1 });
    expect(days.at(-4)).toMatchObject({ up: null, degraded: null, measured: 0 });
    expect(quarter).toBeGreaterThan(0.74);
    expect(quarter).toBeLessThan(0.76);
  });

  test('measures the service itself, with its answers', async () => {
    for (let times = 0; times < 5; times += 1) await served.app.get('/v1/models?limit=2');
    await served.app.sampler.write();
    for (let times = 0; times < 5; times += 1) await served.app.get('/v1/models?limit=2');
    await served.app.sampler.write();
    const { data } = await served.app.json<{ data: StatusSummary }>('/v1/status/summary');
    expect(data.asOf).not.toBeNull();
    const samples = await served.app.database.read
      .selectFrom('samples')
      .selectAll()
      .where('instance', '!=', 'a')
      .execute();
    const sum = (name: 'requests' | 'cache_hits' | 'errors' | 'ok' | 'checks') =>
      samples.reduce((total, sample) => total + sample[name], 0);
    expect(sum('requests')).toBeGreaterThanOrEqual(10);
    expect(sum('cache_hits')).toBeGreaterThanOrEqual(9);
    expect([sum('errors'), sum('ok')]).toEqual([0, sum('checks')]);
  });

  test('tells of incidents and maintenance as admins do', async () => {
    const refused = await post(served, '/v1/admin/incidents', { title: 'x', message: 'y' });
    expect([refused.status, ((await refused.json()) as { detail: string }).detail]).toEqual([
      400,
      'severity: An incident has one: 1 critical, 2 high, 3 medium',
    ]);
    const opened = await post(served, '/v1/admin/incidents', {
      title: 'Slow <answers>',
      severity: 2,
      message: 'Looking into it.',
    });
    expect(opened.status).toBe(200);
    const { data: incident } = (await opened.json()) as { data: { id: string; startsAt: string } };
    expect(await summaryOf(served)).toMatchObject({
      state: 'degraded',
      message: 'Incident under way: Slow <answers>',
      incidents: [{ id: incident.id, severity: 2, status: 'investigating', endsAt: null }],
    });
    const page = await (await served.app.get('/status')).text();
    expect(page).toContain('Slow &lt;answers&gt;');
    expect(page).not.toContain('<answers>');

    const wrong = await post(served, `/v1/admin/incidents/${incident.id}/updates`, {
      status: 'completed',
      message: 'Done.',
    });
    expect(wrong.status).toBe(400);
    const resolved = await post(served, `/v1/admin/incidents/${incident.id}/updates`, {
      status: 'resolved',
      message: 'An index was missing.',
    });
    expect(((await resolved.json()) as { data: object }).data).toMatchObject({
      status: 'resolved',
      endsAt: expect.any(String),
      updates: [
        { status: 'resolved', message: 'An index was missing.' },
        { status: 'investigating', message: 'Looking into it.' },
      ],
    });
    const planned = await post(served, '/v1/admin/incidents', {
      kind: 'maintenance',
      title: 'New database',
      message: 'Reads go on.',
      startsAt: new Date(now + DAY_MS).toISOString(),
      endsAt: new Date(now + 2 * DAY_MS).toISOString(),
    });
    expect(planned.status).toBe(200);
    expect(await summaryOf(served)).toMatchObject({
      state: 'ok',
      incidents: [],
      maintenance: [{ title: 'New database', status: 'scheduled', severity: null }],
      history: [{ id: incident.id }],
    });
    const list = await served.app.json<{ data: { kind: string }[]; meta: { total: number } }>(
      '/v1/incidents',
    );
    expect([list.data.map(({ kind }) => kind), list.meta.total]).toEqual([['maintenance', 'incident'], 2]);
    const open = await served.app.json<{ data: { kind: string }[] }>('/v1/incidents?open=true');
    expect(open.data.map(({ kind }) => kind)).toEqual(['maintenance']);
    expect(
      (await post(served, '/v1/admin/incidents/inc_none/updates', { status: 'resolved', message: 'x' }))
        .status,
    ).toBe(404);
  });
});

test('shows what was known last while the database is away', async () => {
  const served = await startSynced(DATABASES[1].create);
  try {
    const before = await summaryOf(served);
    await served.app.get('/v1/models?limit=5');
    await served.database.drop();
    await expect
      .poll(() => served.app.get('/health').then(({ status }) => status), { timeout: 10_000 })
      .toBe(503);
    const answer = await served.app.get('/v1/status/summary');
    expect(answer.status).toBe(200);
    const { data } = (await answer.json()) as { data: StatusSummary };
    expect(data).toMatchObject({ ...before, state: 'unavailable', message: expect.any(String) });
    const page = await served.app.get('/status');
    expect([page.status, (await page.text()).includes('Unavailable')]).toEqual([200, true]);
    const kept = await served.app.get('/v1/models?limit=5');
    expect([kept.status, kept.headers.get('cache-status')]).toEqual([
      200,
      'effect-models; hit; detail=DATABASE_AWAY',
    ]);
    expect(await (await served.app.get('/metrics', ADMIN)).text()).toMatch(
      /^em_cache_requests_total\{kind="list",result="stale"\} 1$/m,
    );
  } finally {
    await served.close();
  }
});

describe.skipIf(!hasChromium)('the status page, in Chromium', () => {
  let served: Served;
  let close: () => Promise<void>;
  let browser: BrowserContext;
  let page: Page;
  const complaints: string[] = [];
  const origins = new Set<string>();

  beforeAll(async () => {
    served = await startSynced(DATABASES[0].create);
    await plant(served, Date.now());
    await served.app.sync();
    await post(served, '/v1/admin/incidents', {
      title: 'Slow answers',
      severity: 3,
      message: '<b>Soon</b>.',
    });
    ({ browser, close } = await startChromium());
    browser.on('request', (request) => origins.add(new URL(request.url()).origin));
    browser.on('console', (message) => complaints.push(message.text()));
    browser.on('weberror', (error) => complaints.push(error.error().message));
    page = await browser.newPage();
  });
  afterAll(async () => {
    await close?.();
    await served?.close();
  });

  test.each([
    ['a phone', 360, 740],
    ['a desk', 1280, 800],
  ])('fits %s, says everything, and asks no other host', async (_, width, height) => {
    await page.setViewportSize({ width, height });
    const response = await page.goto(`${served.app.url}/status`);
    expect(response?.status()).toBe(200);
    expect(await page.title()).toBe('Degraded – Effect Models status');
    expect(await page.locator('[role=status]').innerText()).toContain('Incident under way: Slow answers');
    for (const heading of ['Data', 'Sources', 'Uptime', 'Latency', 'History'])
      expect(await page.getByRole('heading', { name: heading, exact: true }).count()).toBe(1);
    expect(await page.locator('article li').innerText()).toContain('<b>Soon</b>.');
    expect(await page.locator('svg.bars').count()).toBe(3);
    const wide = await page
      .locator('main')
      .evaluate((main) => main.ownerDocument.documentElement.scrollWidth);
    expect(wide).toBeLessThanOrEqual(width);
    // Without its style it would be as wide as the window.
    expect((await page.locator('main').boundingBox())?.width).toBeLessThanOrEqual(Math.min(width, 736));
    const folder = process.env.SCREENSHOTS_DIR;
    if (folder) await page.screenshot({ path: join(folder, `status-${width}.png`), fullPage: true });
    expect([complaints, [...origins]]).toEqual([[], [served.app.url]]);
  });

  test('names its charts and tables for who can not see them', async () => {
    await page.goto(`${served.app.url}/status`);
    for (const chart of await page.locator('svg.bars').all())
      expect(await chart.getAttribute('aria-label')).toMatch(/\S+ \S+/);
    expect(await page.locator('html').getAttribute('lang')).toBe('en');
    expect(await page.locator('th:not([scope])').count()).toBe(0);
    expect(await page.locator('main h1').count()).toBe(0);
  });
});

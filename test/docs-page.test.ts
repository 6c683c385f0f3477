import type { BrowserContext, Locator, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Model } from '../contracts/models.ts';
import type { SyncRun } from '../contracts/sync.ts';
import openapi from '../openapi/openapi.json' with { type: 'json' };
import { hasChromium, startChromium } from './support/chromium.ts';
import { DATABASES } from './support/databases.ts';
import { ended, startSynced, type Served } from './support/synced.ts';
import type { UpstreamContent } from './support/upstream.ts';

/** A name that browsers do not trust as they trust loopback. */
const PUBLIC_HOST = 'models.example';

const OPERATIONS = Object.entries(openapi.paths).flatMap(([path, methods]) =>
  Object.entries(methods).map(([method, { operationId }]) => ({
    path,
    method: method.toUpperCase(),
    operationId,
  })),
);

/** The page fills in the examples of the document, so the model that they name has to be there. */
function arrange(content: UpstreamContent): void {
  const api = content.modelsDevApi as { openai: { models: Record<string, object> } };
  const { models } = api.openai;
  models['gpt-4o'] = { ...models['gpt-5-mini'], id: 'gpt-4o', name: 'GPT-4o', family: 'gpt' };
}

describe.skipIf(!hasChromium)('the page at /docs, in Chromium', () => {
  let served: Served & { run: SyncRun };
  let close: () => Promise<void>;
  let browser: BrowserContext;
  let page: Page;
  let complaints: string[];
  let origins: Set<string>;

  beforeAll(async () => {
    served = await startSynced(DATABASES[0].create, { arrange });
    ({ browser, close } = await startChromium([PUBLIC_HOST]));
    browser.on('request', (request) => origins.add(new URL(request.url()).origin));
    browser.on('console', (message) => {
      if (['error', 'warning'].includes(message.type())) complaints.push(message.text());
    });
    browser.on('weberror', (error) => complaints.push(error.error().message));
  });
  afterAll(async () => {
    await close?.();
    await served?.close();
  });

  beforeEach(async () => {
    complaints = [];
    origins = new Set();
    page = await browser.newPage();
    page.setDefaultTimeout(20_000);
    await visit(served.app.url);
  });
  afterEach(async () => {
    await page.close();
    expect(complaints).toEqual([]);
    expect([...origins]).toEqual([served.app.url]);
  });

  async function visit(url: string): Promise<void> {
    const response = await page.goto(`${url}/docs`);
    expect(response?.status()).toBe(200);
    await page.locator('.opblock').first().waitFor();
  }

  /** Opens an operation as far as the button that sends it. */
  async function open(id: string): Promise<Locator> {
    const block = page.locator(`#operations-${id}`);
    await block.locator('.opblock-summary-control').click();
    const tryOut = block.getByRole('button', { name: 'Try it out' });
    await block.locator('.try-out__btn').waitFor();
    if (await tryOut.isVisible()) await tryOut.click();
    return block;
  }

  /** Sends an operation; answers with the status and the body that the page shows. */
  async function execute<Body>(block: Locator, expected: string): Promise<Body> {
    await block.getByRole('button', { name: 'Execute' }).click();
    const answer = block.locator('.live-responses-table tr.response');
    const status = answer.locator('.response-col_status');
    await status.waitFor();
    expect((await status.innerText()).trim()).toBe(expected);
    return JSON.parse(await answer.locator('.highlight-code code').innerText()) as Body;
  }

  test('lists every operation of the document by path and method, and no more', async () => {
    expect(await page.title()).toBe('Effect Models API');
    expect(OPERATIONS.length).toBeGreaterThanOrEqual(11);
    for (const { path, method, operationId } of OPERATIONS) {
      const block = page.locator(`.opblock[id$="-${operationId}"]`);
      const shown = await block.locator('.opblock-summary-path').getAttribute('data-path');
      expect([await block.locator('.opblock-summary-method').innerText(), shown]).toEqual([method, path]);
    }
    expect(await page.locator('.opblock').count()).toBe(OPERATIONS.length);
  });

  test('works under a public name over plain http, and asks no other host there either', async () => {
    const url = served.app.url.replace('127.0.0.1', PUBLIC_HOST);
    await visit(url);
    await page.waitForLoadState('networkidle');
    expect(await page.locator('.opblock').count()).toBe(OPERATIONS.length);
    expect(origins.delete(url)).toBe(true);
  });

  test('sends GET /v1/models as it stands, and as it is filled in', async () => {
    const block = await open('Models-models_list');
    const all = await execute<{ data: Model[]; meta: { total: number } }>(block, '200');
    expect(all).toEqual(await served.app.json('/v1/models'));
    expect(all.meta.total).toBe(15);

    await block.getByRole('button', { name: 'Clear' }).click();
    await block.locator('tr[data-param-name="search"] input[type=text]').fill('gpt-4o');
    await block.locator('tr[data-param-name="limit"] input').fill('3');
    const { data } = await execute<{ data: Model[] }>(block, '200');
    expect(data.map(({ id }) => id)).toEqual(['openai/gpt-4o']);
  });

  test('starts a sync once x-admin is true', async () => {
    await page.getByRole('button', { name: 'Authorize' }).first().click();
    const dialog = page.locator('.modal-ux');
    await dialog.locator('input').fill('true');
    await dialog.getByRole('button', { name: 'Apply credentials' }).click();
    await dialog.getByRole('button', { name: 'Close' }).last().click();
    const block = await open('Admin-admin_sync_start');
    const { data } = await execute<{ data: SyncRun }>(block, '202');
    expect(data).toMatchObject({ id: expect.stringMatching(/^sync_/), status: 'running' });
    expect((await ended(served.app, data.id)).status).toBe('completed');
  });
});

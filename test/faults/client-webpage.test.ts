import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrowserContext, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { hasChromium, startChromium } from '../support/chromium.ts';
import { DATABASES } from '../support/databases.ts';
import { Command, type Finish } from '../support/process.ts';
import { environmentOn, withDatabase } from '../support/service.ts';
import { startUpstream, type FakeUpstream } from '../support/upstream.ts';

/** Names that lead to this machine, as those of a rebinding page do once it is open. */
const EVIL = 'evil.test';
const ALIKE = 'localhost.evil.test';

/** Everything that a script of a page can send to start a sync. Answers with what came back of each. */
const ATTACK = `async (base) => {
  const rest = base + '/v1/admin/sync';
  const trpc = base + '/trpc/admin.sync.start';
  const form = new URLSearchParams({ 'x-admin': 'true' });
  const results = [];
  const attempt = async (url, init) => {
    try {
      const { status, type } = await fetch(url, { method: 'POST', ...init });
      results.push(type === 'opaque' ? type : String(status));
    } catch {
      results.push('refused');
    }
  };
  for (const url of [rest, trpc]) {
    await attempt(url, { headers: { 'x-admin': 'true' } });
    await attempt(url, { headers: { 'X-ADMIN': 'true', 'content-type': 'application/json' }, body: '{}' });
    await attempt(url, { headers: { authorization: 'Bearer true' } });
    await attempt(url, { credentials: 'include' });
    await attempt(url, { mode: 'no-cors', headers: { 'x-admin': 'true' }, body: form });
    await attempt(url, { mode: 'no-cors', referrerPolicy: 'no-referrer', body: '{"x-admin":true}' });
    await attempt(url + '?x-admin=true', { mode: 'no-cors' });
    const frame = Object.assign(document.createElement('iframe'), { name: 'frame of ' + url });
    const sent = document.createElement('form');
    Object.assign(sent, { method: 'post', action: url, target: frame.name, enctype: 'text/plain' });
    sent.append(Object.assign(document.createElement('input'), { name: 'x-admin', value: 'true' }));
    document.body.append(frame, sent);
    sent.submit();
    new Image().src = url;
  }
  navigator.sendBeacon(rest, form);
  await new Promise((resolve) => setTimeout(resolve, 500));
  return results;
}`;

const attack = (page: Page, base: string) => page.evaluate<string[]>(`(${ATTACK})(${JSON.stringify(base)})`);

describe.skipIf(!hasChromium && !process.env.CI)('a page in Chromium beside `npm run dev`', () => {
  let upstream: FakeUpstream;
  let environment: Record<string, string>;
  let port: string;
  let pages: Server;
  let browser: BrowserContext;
  const endings: Parameters<Finish>[0][] = [];
  const atTheEnd: Finish = (work) => void endings.unshift(work);

  beforeAll(async () => {
    upstream = await startUpstream();
    atTheEnd(() => upstream.close());
    environment = await environmentOn(upstream, DATABASES[0], atTheEnd);
    ({ port } = new URL(await new Command('dev', environment, [], { finish: atTheEnd }).url()));
    pages = createServer((_req, res) => {
      res.writeHead(200, { 'content-type': 'text/html' }).end('<!doctype html><title>a page</title><body>');
    }).listen(0, '127.0.0.1');
    await once(pages, 'listening');
    atTheEnd(() => void pages.close());
    const started = await startChromium([EVIL, ALIKE, 'localhost']);
    ({ browser } = started);
    atTheEnd(started.close);
  });
  afterAll(async () => {
    for (const end of endings) await end();
  });

  const runs = () =>
    withDatabase(environment, ({ read }) => read.selectFrom('sync_runs').select('id').execute());
  const on = async <Result>(url: string, work: (page: Page) => Promise<Result>) => {
    const page = await browser.newPage();
    await page.goto(url);
    const result = await work(page);
    await page.close();
    return result;
  };

  test.each(['127.0.0.1', 'localhost'])('C31a of another origin can not start a sync: %s', async (host) => {
    const from = `http://${EVIL}:${(pages.address() as AddressInfo).port}`;
    const results = await on(from, (page) => attack(page, `http://${host}:${port}`));
    expect(new Set(results)).toEqual(new Set(['refused', 'opaque']));
    expect(await runs()).toEqual([]);
  });

  test('C31b of another port of this machine can not either', async () => {
    const from = `http://127.0.0.1:${(pages.address() as AddressInfo).port}`;
    const results = await on(from, (page) => attack(page, `http://127.0.0.1:${port}`));
    expect(new Set(results)).toEqual(new Set(['refused', 'opaque']));
    expect(await runs()).toEqual([]);
  });

  test.each([EVIL, ALIKE])('C31c whose name was bound to this machine can not either: %s', async (host) => {
    const own = `http://${host}:${port}`;
    const results = await on(`${own}/docs`, (page) => attack(page, own));
    for (const result of results) expect(['400', '401', '415', '429', 'opaque', 'refused']).toContain(result);
    expect(results).toContain('401');
    expect(await runs()).toEqual([]);
  });

  test('C31d of the service itself can, so that people can try it out', async () => {
    const own = `http://127.0.0.1:${port}`;
    const status = await on(`${own}/docs`, (page) =>
      page.evaluate<number>(
        `fetch('/v1/admin/sync', { method: 'POST', headers: { 'x-admin': 'true' } }).then(({ status }) => status)`,
      ),
    );
    expect(status).toBe(202);
    expect(await runs()).toHaveLength(1);
  });
});

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { z } from 'zod';
import { PartialDate, Timestamp } from '../../../contracts/common.ts';
import { Benchmark, Link, Reasoning } from '../../../contracts/models.ts';
import { Lifecycle, Limits } from '../../../contracts/offers.ts';
import { artificialAnalysis } from '../../../sync/sources/artificial-analysis.ts';
import { huggingFace } from '../../../sync/sources/huggingface.ts';
import { modelsDev } from '../../../sync/sources/models-dev.ts';
import { openRouter } from '../../../sync/sources/openrouter.ts';
import { hasPayloads, payloadsDir, readPayload } from '../../support/payloads.ts';
import { knownPrices, readAll } from './served.ts';

type Outcome = Awaited<ReturnType<typeof readAll>>;

/** Recorded answers of a source whose names hold a word. */
function recordings(folder: string, word: string): string[] {
  if (!hasPayloads) return [];
  const names = readdirSync(join(payloadsDir, folder)).filter((name) => name.includes(word));
  return names.map((name) => `${folder}/${name}`);
}

/** What records say of an end: who says so is known by the record. */
const End = Lifecycle.omit({ source: true });

/** What records share with what is published. */
const Published = z.object({
  facts: z.object({
    reasoning: Reasoning.nullable(),
    limits: Limits,
    links: z.array(Link),
    releaseDate: PartialDate.nullable(),
    lastUpdated: PartialDate.nullable(),
    knowledgeCutoff: PartialDate.nullable(),
    lifecycle: End.nullable(),
    benchmarks: z.array(Benchmark),
  }),
  offer: z.object({ limits: Limits, listedAt: Timestamp.nullable(), lifecycle: End.nullable() }).nullable(),
});

/** Every item became a record that can be published, or was rejected for a reason, and no id came twice. */
function expectComplete({ items, records, rejections, warnings }: Outcome, size: number): void {
  expect(items).toHaveLength(size);
  expect(records.length + rejections.length).toBe(size);
  expect(rejections.filter(({ reason }) => reason === '')).toEqual([]);
  expect(new Set(records.map(({ id }) => id)).size).toBe(records.length);
  expect(warnings).toEqual([]);
  expect(records.filter((record) => !Published.safeParse(record).success)).toEqual([]);
}

describe.skipIf(!hasPayloads)('recorded answers (skipped without them)', () => {
  test.each(recordings('modelsdev', '.api.'))('%s', async (path) => {
    const catalog = readPayload(path) as Record<string, { models: object }>;
    const metadata = readPayload(recordings('modelsdev', '.models.')[0] ?? '') as object;
    const outcome = await readAll(modelsDev, {
      '/base/api.json': { body: catalog },
      '/base/models.json': { body: metadata },
    });
    const offers = Object.values(catalog).reduce((sum, { models }) => sum + Object.keys(models).length, 0);
    expectComplete(outcome, offers + Object.keys(metadata).length);
    expect(outcome.providers).toHaveLength(Object.keys(catalog).length);
    expect(outcome.rejections).toEqual([]);
  });

  test('models.dev on 2026-07-02: 5,276 offers and 231 models', async () => {
    const outcome = await readAll(modelsDev, {
      '/base/api.json': { body: readPayload(recordings('modelsdev', '2026-07-02.api.')[0] ?? '') },
      '/base/models.json': { body: readPayload(recordings('modelsdev', '2026-07-02.models.')[0] ?? '') },
    });
    const count = (type: string) => outcome.records.filter((record) => record.type === type).length;
    expect([count('offer'), count('metadata')]).toEqual([5276, 231]);
    const offer = outcome.records.find(({ id }) => id === 'openai/gpt-5.4')?.offer;
    expect(offer?.pricing.status).toBe('known');
    expect(knownPrices(offer?.pricing.prices)).toMatchObject({
      input: 2_500_000_000,
      output: 15_000_000_000,
    });
    expect(offer?.pricing.tiers).toMatchObject([
      { aboveInputTokens: 272_000, prices: { input: 5_000_000_000, output: 22_500_000_000 } },
    ]);
    expect(offer?.limits).toEqual({ context: 1_050_000, input: 922_000, output: 128_000 });
  });

  test.each(recordings('openrouter', '.models.'))('%s', async (path) => {
    const body = readPayload(path) as { data: { pricing: { prompt: string } }[] };
    const outcome = await readAll(openRouter, { '/base/models': { body } });
    expectComplete(outcome, body.data.length);
    expect(outcome.rejections).toEqual([]);
    const dynamic = outcome.records.filter(({ offer }) => offer?.pricing.status === 'dynamic');
    expect(dynamic).toHaveLength(body.data.filter(({ pricing }) => Number(pricing.prompt) < 0).length);
    expect(dynamic.flatMap(({ offer }) => Object.keys(knownPrices(offer?.pricing.prices)))).toEqual([]);
  });

  test.each(recordings('artificialanalysis', '.models.'))('%s', async (path) => {
    const body = readPayload(path) as { data: object[] };
    const outcome = await readAll(artificialAnalysis, { '/base/language/models/free': { body } });
    expectComplete(outcome, body.data.length);
    expect(outcome.rejections).toEqual([]);
    const prices = outcome.records
      .flatMap(({ facts }) => facts.benchmarks)
      .filter(({ name, unit }) => name.startsWith('price_') || unit === 'seconds');
    expect(prices.filter(({ value }) => value === 0)).toEqual([]);
  });

  test.each(recordings('huggingface', '.page1.'))('%s', async (path) => {
    const body = readPayload(path) as object[];
    const outcome = await readAll(huggingFace, { '/base/api/models': { body } });
    expectComplete(outcome, body.length);
    expect(outcome.rejections).toEqual([]);
  });

  test.each(recordings('huggingface', 'single-model'))('%s', async (path) => {
    const exchanges = readPayload(path) as { response: { status: { code: number }; body: string } }[];
    const models = exchanges
      .filter(({ response }) => response.status.code === 200)
      .map(({ response }) => JSON.parse(response.body) as object);
    const outcome = await readAll(huggingFace, { '/base/api/models': { body: models } });
    expect(outcome.records.length + outcome.rejections.length).toBe(outcome.items.length);
    expect(outcome.records.length).toBeGreaterThan(0);
    expect(outcome.rejections.filter(({ reason }) => reason !== 'duplicate id')).toEqual([]);
  });
});

import { type Fetched, type SourceDefinition, type Upstream } from '../../../sync/source.ts';
import { RejectedItem } from '../../../sync/item.ts';
import type { SourceRecord } from '../../../sync/record.ts';

/** What a served URL answers: a JSON body, `notModified` to a conditional request, or a failure. */
export interface Answer {
  body?: unknown;
  link?: string;
  notModified?: boolean;
  failure?: Error;
}

/** An upstream in memory: answers by path and query, and what was asked of it. */
export function serve(
  source: SourceDefinition,
  answers: Record<string, Answer>,
  options: Partial<Pick<Upstream, 'baseUrl' | 'apiKey' | 'maxItems'>> = {},
) {
  const requests: { url: string; headers: Record<string, string>; conditional: boolean }[] = [];
  const warnings: string[] = [];
  const forgotten: string[] = [];
  const upstream: Upstream = {
    baseUrl: 'https://upstream.test/base',
    apiKey: null,
    maxItems: source.maxItems?.default ?? null,
    ...options,
    getJson(url, { headers = {}, conditional = false } = {}) {
      requests.push({ url, headers, conditional });
      const { pathname, search } = new URL(url);
      const answer = answers[pathname + search] ?? answers[pathname];
      if (answer === undefined) return Promise.reject(new Error(`unlisted request: ${url}`));
      if (answer.failure) return Promise.reject(answer.failure);
      const notModified = conditional && answer.notModified === true;
      return Promise.resolve({
        notModified,
        body: notModified ? undefined : structuredClone(answer.body),
        headers: new Headers(answer.link === undefined ? {} : { link: answer.link }),
      });
    },
    forget: (url) => void forgotten.push(url),
    warn: (message) => void warnings.push(message),
  };
  return { upstream, requests, warnings, forgotten };
}

/** What a source makes of items: records, and the reasons of those it rejected. */
export function parseAll(source: SourceDefinition, fetched: Fetched) {
  if (fetched.notModified) throw new Error('nothing was fetched');
  const records: SourceRecord[] = [];
  const rejections: { id: string; reason: string }[] = [];
  for (const item of fetched.items) {
    try {
      records.push(source.parse(item));
    } catch (error) {
      if (!(error instanceof RejectedItem)) throw error;
      rejections.push({ id: item.id, reason: error.message });
    }
  }
  return { items: fetched.items, records, rejections, providers: fetched.providers };
}

/** Fetches and parses in one go. */
export async function readAll(
  source: SourceDefinition,
  answers: Record<string, Answer>,
  options: Parameters<typeof serve>[2] = {},
) {
  const { upstream, requests, warnings } = serve(source, answers, options);
  return { ...parseAll(source, await source.fetch(upstream)), requests, warnings };
}

/** The prices that are known, in nano-dollars. */
export function knownPrices(
  prices: Record<string, number | null> | undefined,
): Record<string, number | null> {
  return Object.fromEntries(Object.entries(prices ?? {}).filter(([, price]) => price !== null));
}

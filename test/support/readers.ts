import { hash } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { startPulse } from './pulse.ts';

/** What constant readers saw: `violations` are broken promises, each in a sentence. */
export interface ReaderReport {
  violations: string[];
  requests: number;
  /** Requests that found nobody listening. */
  refused: number;
  /** Catalogue versions that were seen. */
  versions: number[];
  slowestMs: number;
}

interface Page {
  data: { id: string }[];
  meta: { catalogVersion: number; total: number };
}

const PAGE = 100;
const LATEST_MS = 2_000;

/** Reads the whole catalogue of each address over and over until it is stopped; `mayRefuse`: nobody need be listening. */
export function startReaders(
  addresses: string[],
  { mayRefuse = false, pauseMs = 50 }: { mayRefuse?: boolean; pauseMs?: number } = {},
): { newest: () => number; stop: () => Promise<ReaderReport> } {
  const report: ReaderReport = { violations: [], requests: 0, refused: 0, versions: [], slowestMs: 0 };
  /** What a page, or the ids, of one version are; whoever reads them again must find the same. */
  const known = new Map<string, string>();
  const seen = new Set<number>();
  let stopped = false;
  const pulse = startPulse();

  const violate = (sentence: string) => {
    if (!report.violations.includes(sentence)) report.violations.push(sentence);
  };
  const agree = (what: string, contents: unknown) => {
    const sum = hash('sha256', JSON.stringify(contents));
    if ((known.get(what) ?? sum) !== sum) violate(`${what} has two contents`);
    known.set(what, sum);
  };

  /** GETs a path. null: nobody listens, or the service says that it is away. */
  async function get(address: string, path: string): Promise<{ status: number; text: string } | null> {
    const started = performance.now();
    const allowance = pulse.since();
    report.requests += 1;
    try {
      const response = await fetch(address + path);
      const text = await response.text();
      if (response.status === 503) {
        if (response.headers.get('retry-after') === null) violate(`${path} is 503 without Retry-After`);
        return null;
      }
      if (response.status >= 500) violate(`${path} is ${response.status}`);
      return { status: response.status, text };
    } catch (error) {
      report.refused += 1;
      const { cause } = error as Error;
      if (!mayRefuse) violate(`${path} could not be asked: ${String(cause ?? error)}`);
      return null;
    } finally {
      const ms = performance.now() - started;
      report.slowestMs = Math.max(report.slowestMs, Math.round(ms));
      if (ms > LATEST_MS + allowance()) violate(`${path} took longer than ${LATEST_MS} ms`);
    }
  }

  async function page(address: string, offset: number): Promise<Page | null> {
    const answer = await get(address, `/v1/models?limit=${PAGE}&offset=${offset}`);
    if (answer === null) return null;
    if (answer.status !== 200) {
      violate(`a page of the list is ${answer.status}`);
      return null;
    }
    const { data, meta } = JSON.parse(answer.text) as Page;
    agree(`the page from ${offset} of version ${meta.catalogVersion}`, { data, total: meta.total });
    seen.add(meta.catalogVersion);
    return { data, meta };
  }

  /** All ids of one version; null: it was replaced meanwhile, or nobody answered. */
  async function walk(
    address: string,
    onVersion: (version: number) => void,
  ): Promise<{ version: number; ids: Set<string> } | null> {
    const ids: string[] = [];
    let version: number | null = null;
    for (let offset = 0, total = 1; offset < total; offset += PAGE) {
      const got = await page(address, offset);
      if (got === null) return null;
      onVersion(got.meta.catalogVersion);
      version ??= got.meta.catalogVersion;
      if (version !== got.meta.catalogVersion) return null;
      total = got.meta.total;
      ids.push(...got.data.map(({ id }) => id));
      if (offset + PAGE < total) continue;
      const different = new Set(ids);
      if (different.size !== total)
        violate(`version ${version} says ${total} models and lists ${different.size}`);
      agree(`the list of ids of version ${version}`, ids);
      return { version, ids: different };
    }
    return null;
  }

  async function read(address: string): Promise<void> {
    let newest = 0;
    let held = new Set<string>();
    while (!stopped) {
      const walked = await walk(address, (version) => {
        if (version < newest) violate(`version ${newest} was followed by ${version}`);
        newest = Math.max(newest, version);
      });
      if (walked !== null) {
        for (const id of held) {
          if (walked.ids.has(id)) continue;
          const answer = await get(address, `/v1/models/${id}`);
          if (answer !== null && answer.status !== 200)
            violate(`${id} left the list, and asked for is ${answer.status}`);
        }
        held = walked.ids;
      }
      await sleep(pauseMs);
    }
  }

  const reading = addresses.map(read);
  return {
    newest: () => Math.max(0, ...seen),
    async stop() {
      stopped = true;
      await Promise.all(reading);
      pulse.stop();
      report.versions = [...seen].toSorted((a, b) => a - b);
      return report;
    },
  };
}

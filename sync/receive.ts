import { setImmediate } from 'node:timers/promises';
import { arrivalsOf, type Arrivals, type ItemReader } from './arrivals.ts';
import type { FetchedSource } from './fetch.ts';
import type { SyncPorts } from './ports.ts';
import type { CatalogState } from './store.ts';

/** What a run fetched, as far as it is believed, and what it comes to. */
export interface Received {
  fetched: FetchedSource[];
  arrivals: Arrivals[];
}

/** Compares every good fetch with what is stored; a source whose prices all moved by a thousand is quarantined, or warned of where that is forced. */
export async function receive(
  ports: SyncPorts,
  reader: ItemReader,
  fetched: FetchedSource[],
  { state, guarded }: { state: CatalogState; guarded: boolean },
): Promise<Received> {
  const received: Received = { fetched: [], arrivals: [] };
  for (const source of fetched) {
    const { status } = source.outcome;
    if (status !== 'ok' && status !== 'not_modified') {
      received.fetched.push(source);
      continue;
    }
    // What an archive brought was never fetched: the first good fetch is compared with nothing, and stands for itself.
    const isFirst = (state.sources.get(source.outcome.source)?.lastGoodAt ?? null) === null;
    const arrivals = await arrivalsOf(ports, reader, source, {
      guarded: guarded && !isFirst,
      misses: isFirst ? 1 : ports.missesUntilDelisted,
    });
    const shift = isFirst ? null : arrivals.shift;
    if (shift !== null && guarded) {
      const quarantined = quarantine(source, shift);
      ports.onProgress({ source: quarantined.outcome });
      received.fetched.push(quarantined);
    } else {
      received.fetched.push(shift === null ? source : warned(source, shift));
      received.arrivals.push(arrivals);
    }
    await setImmediate();
  }
  return received;
}

/** What makes the prices of a source hard to believe. */
function suspicionOf(source: string, shift: number): string {
  const moved = shift > 1 ? `${Math.round(shift)} times` : `1/${Math.round(1 / shift)} of`;
  return `prices that ${source} sent are ${moved} what they were, as if in another unit.`;
}

function warned({ outcome, ...rest }: FetchedSource, shift: number): FetchedSource {
  const warning = `Accepted by force: the ${suspicionOf(outcome.source, shift)}`;
  return { ...rest, outcome: { ...outcome, warnings: [...outcome.warnings, warning] } };
}

function quarantine({ outcome, ...rest }: FetchedSource, shift: number): FetchedSource {
  const message = `The ${suspicionOf(outcome.source, shift)} Its last good records stay; look at it, and sync with force=true to accept it.`;
  return {
    ...rest,
    records: null,
    keeps: null,
    isWhole: true,
    outcome: { ...outcome, status: 'quarantined', error: { class: 'sanity', message } },
  };
}

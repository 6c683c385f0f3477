import type { StatusSummary } from '../../../contracts/status-summary.ts';
import { duration, escape, percent } from './html.ts';

const HEIGHT = 40;
const SHOWN_RUNS = 24;
const STEP = 8;
const BAR = 6;
/** What is there at all shows, however small it is. */
const LEAST = 3;

interface Bar {
  /** Share of the full height, 0 to 1. */
  share: number;
  /** Class for its colour. */
  tone: 'good' | 'fair' | 'bad' | 'none';
  /** What it says, for whoever points at it or has it read out. */
  title: string;
}

/** Bars from left to right, the last at the right end, with a label that says all of it in one sentence. */
function bars(label: string, items: Bar[], places: number = items.length): string {
  const first = places - items.length;
  const drawn = items.map(({ share, tone, title }, index) => {
    const height = Math.max(LEAST, Math.round(share * HEIGHT));
    return `<rect class="${tone}" x="${(first + index) * STEP}" y="${HEIGHT - height}" width="${BAR}" height="${height}" rx="1"><title>${escape(title)}</title></rect>`;
  });
  const width = Math.max(1, places) * STEP - (STEP - BAR);
  return `<svg class="bars" role="img" aria-label="${escape(label)}" viewBox="0 0 ${width} ${HEIGHT}" preserveAspectRatio="none">${drawn.join('')}</svg>`;
}

const TONE_OF_RUN: Partial<Record<StatusSummary['syncs'][number]['status'], Bar['tone']>> = {
  completed: 'good',
  partial: 'fair',
};

/** The last syncs, oldest first: as high as they took long. */
export function syncChart(syncs: StatusSummary['syncs']): string {
  const longest = Math.max(1, ...syncs.map(({ durationMs }) => durationMs ?? 0));
  const good = syncs.filter(({ status }) => status === 'completed').length;
  const items = syncs.toReversed().map(({ status, startedAt, durationMs }): Bar => ({
    share: (durationMs ?? 0) / longest,
    tone: TONE_OF_RUN[status] ?? 'bad',
    title: `${startedAt.slice(0, 16).replace('T', ' ')}: ${status}, ${duration(durationMs)}`,
  }));
  return bars(
    `${good} of the last ${syncs.length} syncs completed; the longest took ${duration(longest)}`,
    items,
    SHOWN_RUNS,
  );
}

/** Up from here on is not worth a colour of its own. */
const GOOD = 0.999;
const FAIR = 0.99;

/** One bar a day, full where it was measured at all. */
export function uptimeChart(uptime: StatusSummary['uptime']): string {
  const items = uptime.days.map(({ date, up, degraded }): Bar => {
    if (up === null) return { share: 0, tone: 'none', title: `${date}: not measured` };
    const tone = up >= GOOD ? 'good' : up >= FAIR ? 'fair' : 'bad';
    const also = degraded ? `, degraded ${percent(degraded)} of the time` : '';
    return { share: 1, tone, title: `${date}: up ${percent(up)}${also}` };
  });
  return bars(`Uptime of the last 90 days: ${percent(uptime.quarter)}`, items);
}

/** The plan's targets in milliseconds: good up to the first, bad beyond the second. */
const P99_TARGET_MS = 500;
const P99_ALERT_MS = 1_000;

/** One bar an hour: as high as its 99th percentile. */
export function latencyChart(latency: StatusSummary['latency']): string {
  const slowest = Math.max(1, ...latency.map(({ p99Ms }) => p99Ms ?? 0));
  const items = latency.map(({ at, p50Ms, p99Ms, requests }): Bar => {
    const hour = at.slice(11, 16);
    if (p99Ms === null) return { share: 0, tone: 'none', title: `${hour}: no requests` };
    const tone = p99Ms <= P99_TARGET_MS ? 'good' : p99Ms <= P99_ALERT_MS ? 'fair' : 'bad';
    return {
      share: p99Ms / slowest,
      tone,
      title: `${hour}: half within ${duration(p50Ms)}, 99 % within ${duration(p99Ms)}, ${requests} requests`,
    };
  });
  return bars(`99th percentile of answers, the last 24 hours; ${duration(slowest)} at most`, items);
}

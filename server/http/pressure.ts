import { getHeapStatistics } from 'node:v8';
import underPressure from '@fastify/under-pressure';
import type { FastifyInstance } from 'fastify';
import { pathOf } from './paths.ts';
import { overloaded } from './problem.ts';

const MAX_HEAP_SHARE = 0.9;
/** What has to answer most of all when there is too much to do. */
const SPARED = /^\/(health|metrics)(\/|$)/;

/** Refuses requests at once with 503 while the event loop lags or the heap is nearly full, so that those under way are finished. */
export function shedOverload(
  app: FastifyInstance,
  { maxLoopDelayMs, onShed }: { maxLoopDelayMs: number; onShed: () => void },
): void {
  void app.register(underPressure, {
    maxEventLoopDelay: maxLoopDelayMs,
    maxHeapUsedBytes: Math.round(MAX_HEAP_SHARE * getHeapStatistics().heap_size_limit),
    // Asked by the hook below, which comes before all others; the plugin's own hook would come last.
    pressureHandler: () => undefined,
  });
  app.addHook('onRequest', async (request) => {
    if (!app.isUnderPressure() || SPARED.test(pathOf(request))) return;
    onShed();
    throw overloaded('There is more to do than can be done right now: try again in a few seconds.');
  });
}

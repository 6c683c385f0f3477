import { monitorEventLoopDelay } from 'node:perf_hooks';
import { getHeapStatistics } from 'node:v8';
import type { FastifyInstance } from 'fastify';
import { pathOf } from './paths.ts';
import { overloaded } from './problem.ts';

const MAX_HEAP_SHARE = 0.9;
const LOOK_EVERY_MS = 1_000;
const RESOLUTION_MS = 10;
const NS_PER_MS = 1e6;
/** What has to answer most of all when there is too much to do. */
const SPARED = /^\/(health|metrics)(\/|$)/;

/** Refuses requests at once with 503 while the event loop lags or the heap is nearly full, so that those under way are finished. */
export function shedOverload(
  app: FastifyInstance,
  { maxLoopDelayMs, onShed }: { maxLoopDelayMs: number; onShed: () => void },
): void {
  const pressure = watchPressure(maxLoopDelayMs);
  app.addHook('onClose', async () => pressure.stop());
  app.addHook('onRequest', async (request) => {
    if (!pressure.isHigh() || SPARED.test(pathOf(request))) return;
    onShed();
    throw overloaded('There is more to do than can be done right now: try again in a few seconds.');
  });
}

/**
 * Looks once a second at how late the event loop was in the mean, and at how full the heap is; a limit of 0 ms leaves
 * the first out. Neither opens a file: `process.memoryUsage()` does, and throws where no descriptor is left.
 */
function watchPressure(maxLoopDelayMs: number): { isHigh(): boolean; stop(): void } {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  let isHigh = false;
  const look = () => {
    // A loop that stood still all the time has recorded nothing.
    const lateMs = delay.count === 0 ? Infinity : delay.mean / NS_PER_MS - RESOLUTION_MS;
    delay.reset();
    const { used_heap_size: used, heap_size_limit: limit } = getHeapStatistics();
    isHigh = (maxLoopDelayMs > 0 && lateMs > maxLoopDelayMs) || used > MAX_HEAP_SHARE * limit;
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  return {
    isHigh: () => isHigh,
    stop: () => {
      clearInterval(timer);
      delay.disable();
    },
  };
}

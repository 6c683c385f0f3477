const BEAT_MS = 50;
/** How much later an answer may be for each millisecond that a timer of this process was late: the machine was busy elsewhere. */
const STARVED = 4;

/** Feels how busy the machine is elsewhere. */
export interface Pulse {
  /** From now on; answers with how many milliseconds later than promised something may have come by then. */
  since(): () => number;
  stop(): void;
}

/** Starts to feel it. */
export function startPulse(): Pulse {
  let lateMs = 0;
  let beat = performance.now();
  const beats = setInterval(() => {
    lateMs += Math.max(0, performance.now() - beat - BEAT_MS);
    beat = performance.now();
  }, BEAT_MS);
  return {
    since() {
      const before = lateMs;
      return () => STARVED * (lateMs - before);
    },
    stop: () => clearInterval(beats),
  };
}

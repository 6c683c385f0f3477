import { span } from '../text.ts';

/** One thing that a command has done, and how long it took. */
export interface Step {
  name: string;
  ms: number;
}

/** Does one thing after another, and says so. */
export interface Steps {
  /** What has been done so far, also what failed. */
  done: Step[];
  /** Stops what is under way when it is aborted. */
  signal: AbortSignal;
  run<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
  /** Does what must not be left half done: the signal does not stop it. */
  finish<Result>(name: string, work: () => Promise<Result>): Promise<Result>;
}

/** Counts the steps of a command, each with a line when it begins and when it has ended. */
export function countSteps(signal: AbortSignal, progress: (line: string) => void): Steps {
  const done: Step[] = [];
  const finish: Steps['finish'] = async (name, work) => {
    progress(`${name} ...`);
    const startedAt = performance.now();
    try {
      return await work();
    } finally {
      const ms = Math.round(performance.now() - startedAt);
      done.push({ name, ms });
      progress(`${name}: ${span(ms)}`);
    }
  };
  return {
    done,
    signal,
    finish,
    async run(name, work) {
      signal.throwIfAborted();
      try {
        const result = await finish(name, work);
        signal.throwIfAborted();
        return result;
      } catch (error) {
        // What was stopped has its own words for that.
        signal.throwIfAborted();
        throw error;
      }
    },
  };
}

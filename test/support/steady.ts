import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/** What became of a steady load. */
export interface SteadyReport {
  asked: number;
  /** What went wrong, and how often. */
  failures: [what: string, times: number][];
  slowestMs: number;
}

/** What clients ask for while instances come and go. */
const PATHS = [
  { path: '/v1/models?limit=20' },
  { path: '/v1/models/openai/gpt-5-mini' },
  { path: '/v1/models?limit=20' },
  { path: '/health' },
  { path: '/v1/models?limit=20' },
  { path: '/v1/resolve', body: '{"ids":[{"id":"gpt-5-mini"}]}' },
];

/** Sends so many requests a second, whether those before were answered or not, until it is stopped. */
export function startSteady(url: string, perSecond: number): { stop: () => Promise<SteadyReport> } {
  const child = fork(fileURLToPath(new URL('./steady-worker.ts', import.meta.url)), [
    JSON.stringify({ url, perSecond, paths: PATHS }),
  ]);
  return {
    stop: async () => {
      child.send('stop');
      const [report] = (await once(child, 'message')) as [SteadyReport];
      return report;
    },
  };
}

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { hasPayloads, recordedContent } from '../support/payloads.ts';
import { AA_KEY, startUpstream } from '../support/upstream.ts';
import { generatedContent } from './generated.ts';

/** The fake upstream in a process of its own, so that it takes no time of the process that is measured. */
export interface ChildUpstream {
  /** The variables that lead a sync to it. */
  environment: Record<string, string>;
  /** Paths, with query, that were asked for since the last call. */
  takePaths(): Promise<string[]>;
  stop(): Promise<void>;
}

/** Starts it with the recorded set where this machine has it, else with a generated one. */
export async function startChildUpstream(): Promise<ChildUpstream> {
  const child = fork(fileURLToPath(import.meta.url), { stdio: 'inherit' });
  const [urls] = (await once(child, 'message')) as [Record<string, string>];
  return {
    environment: { ...urls, ARTIFICIAL_ANALYSIS_API_KEY: AA_KEY },
    async takePaths() {
      child.send('paths');
      const [paths] = (await once(child, 'message')) as [string[]];
      return paths;
    },
    async stop() {
      const exited = once(child, 'exit');
      child.disconnect();
      await exited;
    },
  };
}

/** What the child does. It ends with its parent. */
async function serve(): Promise<void> {
  const upstream = await startUpstream();
  Object.assign(upstream.content, hasPayloads ? recordedContent() : generatedContent());
  process.on('message', () => {
    process.send?.(upstream.requests.map(({ path }) => path));
    upstream.requests.length = 0;
  });
  process.on('disconnect', () => void upstream.close());
  process.send?.(upstream.urls);
}

if (process.send !== undefined && process.argv[1] === fileURLToPath(import.meta.url)) await serve();

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createRequire } from 'node:module';
import { createInterface } from 'node:readline';
import { onTestFinished } from 'vitest';
import { sqlitePath } from '../../../server/db/orm.ts';
import { OF_NODE } from '../../support/process.ts';

const DRIVER = createRequire(createRequire(import.meta.url).resolve('@mikro-orm/sqlite')).resolve(
  'better-sqlite3',
);

/** Holds a file until it is told to let go. */
const HOLDER = `
  const [driver, path, ...statements] = process.argv.slice(1);
  const db = new (require(driver))(path, { timeout: 5000 });
  for (const statement of statements) db.exec(statement);
  console.log('held');
  process.stdin.on('end', () => process.exit(0)).resume();
`;

/** Another process that holds an SQLite file. */
export interface Holder {
  /** Lets go, and ends. */
  release(): Promise<void>;
  /** Kills it. */
  kill(): Promise<void>;
}

/** Starts a process that holds a file, from statements as `begin immediate` on. */
export async function holdFile(url: string, ...statements: string[]): Promise<Holder> {
  const args = ['-e', HOLDER, DRIVER, sqlitePath(url), ...statements];
  const child = spawn(process.execPath, args, { env: OF_NODE, stdio: ['pipe', 'pipe', 'inherit'] });
  const closed = once(child, 'close');
  const kill = async () => {
    child.kill('SIGKILL');
    await closed;
  };
  onTestFinished(kill);
  await once(createInterface(child.stdout), 'line');
  return {
    kill,
    async release() {
      child.stdin.end();
      await closed;
    },
  };
}

/** Watches the event loop of this process, in which the service runs. `stop` answers with how long its timers had to wait at most. */
export function watchLoop(): { stop: () => number } {
  let worst = 0;
  let last = performance.now();
  const look = () => {
    const now = performance.now();
    worst = Math.max(worst, now - last);
    last = now;
  };
  const timer = setInterval(look, 10);
  onTestFinished(() => clearInterval(timer));
  return {
    stop() {
      look();
      clearInterval(timer);
      return worst;
    },
  };
}

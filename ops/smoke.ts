import { setTimeout } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { UsageError } from './command.ts';
import { readOpsConfig } from './config.ts';
import { smoke } from './smoke/checks.ts';

const USAGE = `Usage: npm run smoke -- <url> [--expect-version <version>] [--within <seconds>]
  --expect-version    which version every instance has to be
  --within            tries again until everything is well, for so long; else once
The secret of ADMIN_SECRET, where it is set, is used to look at the syncs.`;

const EXIT_USAGE = 64;
const PAUSE_MS = 1_000;

function read(args: string[]) {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { 'expect-version': { type: 'string' }, within: { type: 'string' } },
  });
  const [url = '', ...more] = positionals;
  if (!/^https?:\/\/[^/]/.test(url) || more.length > 0)
    throw new UsageError('Say where the service is: one http or https URL.');
  if (!URL.canParse(url) || new URL(url).username !== '' || new URL(url).password !== '')
    throw new UsageError('The URL must be whole, and hold no user and no password.');
  if (values.within !== undefined && !/^\d+$/.test(values.within))
    throw new UsageError('--within takes a whole number of seconds.');
  return {
    url: url.replace(/\/+$/, ''),
    version: values['expect-version'] ?? null,
    withinMs: Number(values.within ?? 0) * 1_000,
  };
}

async function main(args: string[]): Promise<number> {
  const { url, version, withinMs } = read(args);
  const { adminSecret: given } = readOpsConfig();
  const adminSecret = given?.startsWith('sha256:') ? null : given;
  const startedAt = performance.now();
  for (;;) {
    const results = await smoke({ url, version, adminSecret });
    const failed = results.filter(({ problem }) => problem !== null);
    const elapsedMs = performance.now() - startedAt;
    if (failed.length > 0 && elapsedMs < withinMs) {
      await setTimeout(PAUSE_MS);
      continue;
    }
    for (const { name, problem, note } of results)
      console.log(problem === null ? `ok      ${name}: ${note}` : `FAILED  ${name}: ${problem}`);
    console.log(
      `${results.length - failed.length} of ${results.length} well after ${Math.round(elapsedMs / 1_000)} s`,
    );
    return failed.length === 0 ? 0 : 1;
  }
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  const isUsage =
    error instanceof UsageError || String((error as { code?: string }).code).startsWith('ERR_PARSE_ARGS');
  console.error(isUsage ? `${(error as Error).message}\n${USAGE}` : error);
  process.exitCode = isUsage ? EXIT_USAGE : 1;
}

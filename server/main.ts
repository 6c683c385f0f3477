import closeWithGrace from 'close-with-grace';
import type { Logger } from 'pino';
import { createApp, type App } from './app.ts';
import { backfillCommand } from './backfill.ts';
import { ConfigError, readConfig, type Config, type World } from './config.ts';
import { openDatabase } from './db/database.ts';
import { MigrationNeeded } from './db/migrations.ts';
import { FileUnusable } from './db/unusable.ts';
import { explain } from './explain.ts';
import { createLogger } from './log.ts';
import { currentScope } from './operation-scope.ts';
import { VERSION } from './ports.ts';

/** Exit codes of `npm run sync`: how the run ended. */
const EXIT_OF_RUN: Record<string, number> = { completed: 0, partial: 2 };
const EXIT_CONFLICT = 3;
/** sysexits.h: the configuration can not be used. */
const EXIT_CONFIG = 78;
const DRAIN_MS = 9_000;

/** Tells a person where to look; a log of JSON lines has the address in one of them. */
function announce(config: Config, address: string): void {
  const lines = [
    `  API     ${address}/v1/models`,
    `  Docs    ${address}/docs`,
    `  Status  ${address}/status`,
  ];
  if (config.world === 'dev') {
    lines.push(
      `  Sync    curl -X POST ${address}/v1/admin/sync -H "x-admin: true"   (open to this machine only)`,
    );
  }
  console.log(`${lines.join('\n')}\n`);
}

async function serve(config: Config, logger: Logger, { readable }: { readable: boolean }): Promise<void> {
  const app = await createApp(config, logger);
  closeWithGrace({ delay: DRAIN_MS, logger }, async ({ err }) => {
    if (err) logger.fatal({ err, ...currentScope() }, 'Unexpected error: shutting down');
    await app.stop();
  });
  await listen(app, config);
  const { port } = app.http.server.address() as { port: number };
  if (readable) announce(config, `http://${config.host}:${port}`);
  await app.prepare();
}

async function listen({ http }: App, { host, port }: Config): Promise<void> {
  try {
    const listenTextResolver = (address: string) => `Effect Models ${VERSION} is listening at ${address}`;
    await http.listen({ host, port, listenTextResolver });
  } catch (error) {
    const taken = error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
    throw taken
      ? new ConfigError([
          `PORT ${port} at ${host} is taken by another program: end that, or set another PORT`,
        ])
      : error;
  }
}

async function syncOnce(config: Config, logger: Logger): Promise<number> {
  const app = await createApp({ ...config, syncCron: null, syncOnStart: 'never' }, logger);
  let stopping = false;
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      if (stopping) process.exit(1);
      stopping = true;
      void app.runner.stop();
    });
  }
  try {
    return await runOnce(app, logger);
  } finally {
    await app.stop();
  }
}

async function runOnce({ prepare, runner }: App, logger: Logger): Promise<number> {
  await prepare();
  const started = await runner.start('command');
  if ('conflict' in started) {
    logger.error(`sync failed to start: run ${started.conflict} is under way; try again when it has ended`);
    return EXIT_CONFLICT;
  }
  const { status } = await started.finished;
  return EXIT_OF_RUN[status] ?? 1;
}

async function migrate(config: Config): Promise<void> {
  const database = await openDatabase(config.databaseUrl, { passwordFile: config.databasePasswordFile });
  try {
    const ran = await database.migrate();
    console.log(ran.length === 0 ? 'The database is up to date.' : `Ran ${ran.join(', ')}.`);
  } finally {
    await database.close();
  }
}

async function main(command: string, args: string[]): Promise<void> {
  const world: World = command === 'dev' ? 'dev' : 'production';
  const serves = command === 'dev' || command === 'start';
  const config = readConfig(world, { command: serves ? 'serve' : 'once' });
  const readable = command !== 'start' || process.stdout.isTTY;
  const logger = createLogger({ level: config.logLevel, readable });
  if (serves) await serve(config, logger, { readable });
  else if (command === 'sync') process.exitCode = await syncOnce(config, logger);
  else if (command === 'migrate') await migrate(config);
  else if (command === 'explain') process.exitCode = await explain(config, args);
  else if (command === 'backfill') process.exitCode = await backfillCommand(config, args);
  else throw new Error(`Unknown command "${command}": use dev, start, sync, migrate, explain or backfill`);
}

try {
  await main(process.argv[2] ?? '', process.argv.slice(3));
} catch (error) {
  const unusable = error instanceof ConfigError;
  const isExplained = unusable || error instanceof MigrationNeeded || error instanceof FileUnusable;
  console.error(isExplained ? error.message : error);
  process.exit(unusable ? EXIT_CONFIG : 1);
}

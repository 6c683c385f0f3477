import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

const WARN = 40;

/** What a person needs of a line: its message, and of a problem the id that the caller was told to quote. */
function messageOf(line: Record<string, unknown>, messageKey: string): string {
  const { level, requestId } = line;
  const message = line[messageKey] as string;
  const isTrouble = typeof level === 'number' && level >= WARN;
  return isTrouble && typeof requestId === 'string' ? `${message} (request ${requestId})` : message;
}

/** What may wait for a reader of the log before lines are dropped. */
const BACKLOG_BYTES = 4 * 1024 * 1024;

/** Standard output that no slow reader, full disk or closed pipe can stop the service by. Says how many lines were lost. */
function unblockedOutput(): DestinationStream {
  const output = pino.destination({ fd: 1, sync: false, maxLength: BACKLOG_BYTES });
  let lost = 0;
  let broken = false;
  output.on('drop', () => (lost += 1));
  // The lines stay in the backlog, and are written with the next.
  output.on('error', () => (broken = true));
  output.on('write', () => (broken = false));
  // sonic-boom 4 tries for ever to write to a full disk when the process exits.
  const flush = output.flushSync.bind(output);
  output.flushSync = () => {
    if (!broken) flush();
  };
  output.on('drain', () => {
    if (lost === 0) return;
    const line = {
      level: WARN,
      time: Date.now(),
      msg: `${lost} lines of the log were lost: nobody read them`,
    };
    lost = 0;
    output.write(`${JSON.stringify(line)}\n`);
  });
  return output;
}

/** Makes the log: JSON lines on standard output, or lines for people under `npm run dev` and on a terminal. */
export function createLogger({ level, readable }: { level: string; readable: boolean }): Logger {
  const options = {
    level,
    base: null,
    redact: ['req.headers["x-admin"]', 'req.headers.authorization'],
  };
  if (!readable) return pino(options, unblockedOutput());
  const forPeople = {
    include: 'level,time,err',
    messageFormat: messageOf,
    translateTime: 'HH:MM:ss',
    sync: true,
  };
  return pino(options, pretty(forPeople));
}

import { pino, type DestinationStream, type Logger } from 'pino';
import pretty from 'pino-pretty';

const WARN = 40;
/** What a field may say; what comes from outside is cut there. */
const MAX_TEXT = 500;

/** What a terminal could be fooled by, and JSON lets pass. */
const UNPRINTABLE = /[\u007f-\u009f\u2028\u2029]/g;
/** The same, and what JSON escapes for machines alone; an escaped backslash is no beginning of these. */
const UNREADABLE = /\\\\|\\u00[01][0-9a-f]|\\[bfr]|[\u007f-\u009f\u2028\u2029]/g;

const escape = (character: string): string => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;

/** A line of JSON as it is written: printable, whatever is in it. */
const printable = (line: string): string => line.replaceAll(UNPRINTABLE, escape);

/** A line of JSON as people read it: what is escaped in it stays so. */
const readableText = (line: string): string =>
  line.replaceAll(UNREADABLE, (found) => {
    if (found === '\\\\') return found;
    return `\\${found.length > 1 ? found : escape(found)}`;
  });

/** The fields of a line, none of them long. */
function capped(fields: Record<string, unknown>): Record<string, unknown> {
  const long = Object.entries(fields).filter(
    ([, value]) => typeof value === 'string' && value.length > MAX_TEXT,
  );
  if (long.length === 0) return fields;
  return {
    ...fields,
    ...Object.fromEntries(long.map(([name, value]) => [name, `${String(value).slice(0, MAX_TEXT)}…`])),
  };
}

/** What a person needs of a line: its message, and of a problem the id that the caller was told to quote. */
function messageOf(line: Record<string, unknown>, messageKey: string): string {
  const { level, requestId } = line;
  const text = line[messageKey];
  // One line, so that none can be forged.
  const message = typeof text === 'string' ? text.replaceAll('\n', '\\n') : '';
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
    formatters: { log: capped },
    hooks: { streamWrite: readable ? readableText : printable },
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

import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

const WARN = 40;

/** What a person needs of a line: its message, and of a problem the id that the caller was told to quote. */
function messageOf(line: Record<string, unknown>, messageKey: string): string {
  const { level, requestId } = line;
  const message = line[messageKey] as string;
  const isTrouble = typeof level === 'number' && level >= WARN;
  return isTrouble && typeof requestId === 'string' ? `${message} (request ${requestId})` : message;
}

/** Makes the log: JSON lines on standard output, or lines for people under `npm run dev` and on a terminal. */
export function createLogger({ level, readable }: { level: string; readable: boolean }): Logger {
  const options = {
    level,
    base: null,
    redact: ['req.headers["x-admin"]', 'req.headers.authorization'],
  };
  if (!readable) return pino(options);
  const forPeople = {
    include: 'level,time,err',
    messageFormat: messageOf,
    translateTime: 'HH:MM:ss',
    sync: true,
  };
  return pino(options, pretty(forPeople));
}

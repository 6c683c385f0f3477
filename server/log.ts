import { pino, type Logger } from 'pino';
import pretty from 'pino-pretty';

/** Makes the log: JSON lines on standard output, or lines for people under `npm run dev` and on a terminal. */
export function createLogger({ level, readable }: { level: string; readable: boolean }): Logger {
  const options = {
    level,
    base: null,
    redact: ['req.headers["x-admin"]', 'req.headers.authorization'],
  };
  return readable
    ? pino(
        options,
        pretty({
          include: 'level,time,err,requestId',
          singleLine: true,
          translateTime: 'HH:MM:ss',
          sync: true,
        }),
      )
    : pino(options);
}

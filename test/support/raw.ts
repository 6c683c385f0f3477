import { connect } from 'node:net';

/** How long a connection may stay open once everything was sent: longer than the server waits for the rest of a request. */
const OPEN_MS = 20_000;

/** Sends bytes as they are and reads until the server closes the connection. */
export function sendRaw(port: number, bytes: string | Buffer): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    let answer = '';
    socket.setEncoding('utf8').on('data', (chunk: string) => (answer += chunk));
    socket.on('close', () => resolve(answer)).on('error', reject);
    socket.setTimeout(OPEN_MS, () => socket.destroy(new Error(`Still open after ${answer || 'no answer'}`)));
  });
}

/** What came back over a connection. */
export interface Exchange {
  text: string;
  /** The statuses of the answers in it. */
  statuses: number[];
  /** Whether the other end closed the connection. */
  closed: boolean;
}

/** Sends bytes as they are and reads until the other end closes the connection, or has nothing more to say after an answer. */
export function exchange(port: number, bytes: string | Buffer, quietMs = 300): Promise<Exchange> {
  return new Promise((resolve, reject) => {
    let text = '';
    const end = (closed: boolean) => {
      socket.destroy();
      const lines = text.matchAll(/HTTP\/1\.[01] (?!100)(\d{3}) /g);
      resolve({ text, closed, statuses: [...lines].map(([, status]) => Number(status)) });
    };
    const socket = connect(port, '127.0.0.1', () => socket.write(bytes));
    socket.setEncoding('utf8').on('data', (chunk: string) => {
      text += chunk;
      socket.setTimeout(quietMs);
    });
    socket.on('close', () => end(true)).on('error', () => end(true));
    socket.setTimeout(OPEN_MS).on('timeout', () => {
      if (text === '') reject(new Error('Neither answered nor closed'));
      else end(false);
    });
  });
}

/** Sends one request line as it is, without the normalisation of URL parsers. */
export function sendTarget(
  port: number,
  target: string,
  { method = 'GET', headers = '' } = {},
): Promise<string> {
  return sendRaw(
    port,
    `${method} ${target} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n${headers}\r\n`,
  );
}

/** The status of an answer read with `sendRaw`. */
export const statusOf = (answer: string): number => Number(answer.split(' ')[1]);

/** The JSON body of an answer read with `sendRaw`. */
export const bodyOf = (answer: string): unknown => JSON.parse(answer.slice(answer.indexOf('\r\n\r\n') + 4));

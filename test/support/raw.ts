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

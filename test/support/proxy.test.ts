import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { startProxy, type Proxy } from './proxy.ts';

/** A connection of a client, with what it has heard. */
interface Heard {
  socket: Socket;
  text: string;
  /** The pieces in which it came. */
  pieces: number;
  ended: boolean;
  /** How it was closed: by a code such as ECONNRESET, or without; null: it is open. */
  closed: string | null;
}

/** A server that says again whatever it is told, and closes the connection when it is told `bye`, behind a proxy. */
async function proxied(): Promise<{ proxy: Proxy; server: Server; atServer: Set<Socket> }> {
  const atServer = new Set<Socket>();
  const server = createServer((socket) => {
    atServer.add(socket);
    socket.on('error', () => {}).on('close', () => atServer.delete(socket));
    socket.on('data', (chunk) => (String(chunk) === 'bye' ? socket.end() : socket.write(chunk)));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await startProxy((server.address() as AddressInfo).port);
  onTestFinished(async () => {
    await proxy.close();
    server.close();
  });
  return { proxy, server, atServer };
}

async function client({ port }: Proxy): Promise<Heard> {
  const socket = connect(port, '127.0.0.1').setNoDelay();
  const heard: Heard = { socket, text: '', pieces: 0, ended: false, closed: null };
  let code = '';
  socket.setEncoding('utf8').on('data', (text: string) => {
    heard.text += text;
    heard.pieces += 1;
  });
  socket.on('error', (error) => (code = 'code' in error ? String(error.code) : error.message));
  socket.on('end', () => (heard.ended = true));
  socket.on('close', () => (heard.closed = code));
  await once(socket, 'connect');
  onTestFinished(() => void socket.destroy());
  return heard;
}

/** Says something, and answers with how long it took to hear all of it again. */
async function echo(heard: Heard, text: string): Promise<number> {
  const began = performance.now();
  const whole = heard.text + text;
  heard.socket.write(text);
  await expect.poll(() => heard.text, { timeout: 5_000, interval: 2 }).toBe(whole);
  return performance.now() - began;
}

test('passes what is said both ways, and its end', async () => {
  const { proxy } = await proxied();
  const heard = await client(proxy);
  const long = 'x'.repeat(300_000);
  await echo(heard, long);
  expect(proxy.open()).toBe(1);
  heard.socket.end();
  await expect.poll(() => [heard.closed, proxy.open()]).toEqual(['', 0]);
});

test('a server that is not there closes the connection', async () => {
  const { proxy, server } = await proxied();
  server.close();
  await once(server, 'close');
  const heard = await client(proxy);
  await expect.poll(() => heard.closed).not.toBe(null);
});

test('latency: all that is said arrives later, on the way that is slow', async () => {
  const { proxy } = await proxied();
  const heard = await client(proxy);
  proxy.poison({ latencyMs: 200 });
  expect(await echo(heard, 'answered late')).toBeGreaterThanOrEqual(195);
  proxy.poison({});
  proxy.poison({ latencyMs: 150 }, 'up');
  expect(await echo(heard, 'asked late')).toBeGreaterThanOrEqual(145);
});

test('bandwidth: so many bytes a second pass', async () => {
  const { proxy } = await proxied();
  const heard = await client(proxy);
  proxy.poison({ bytesPerSecond: 100_000 });
  expect(await echo(heard, 'x'.repeat(50_000))).toBeGreaterThanOrEqual(400);
  expect(heard.pieces).toBeGreaterThan(5);
});

test('slicer: what is said arrives in small pieces', async () => {
  const { proxy } = await proxied();
  const heard = await client(proxy);
  proxy.poison({ slice: { bytes: 2, pauseMs: 20 } });
  expect(await echo(heard, 'slices!')).toBeGreaterThanOrEqual(55);
  expect(heard.pieces).toBe(4);
});

test('limit_data: the connection is closed when so many bytes have passed', async () => {
  const { proxy, atServer } = await proxied();
  const heard = await client(proxy);
  proxy.poison({ limitBytes: 5 });
  heard.socket.write('all of this');
  await expect.poll(() => heard.closed).not.toBe(null);
  expect([heard.text, heard.ended]).toEqual(['all o', true]);
  await expect.poll(() => atServer.size).toBe(0);
});

test('slow_close: the end is heard of later', async () => {
  const { proxy } = await proxied();
  proxy.poison({ slowCloseMs: 300 });
  const heard = await client(proxy);
  await echo(heard, 'hello');
  const began = performance.now();
  heard.socket.write('bye');
  await once(heard.socket, 'end');
  expect(performance.now() - began).toBeGreaterThanOrEqual(290);
});

test('timeout: nothing arrives, and then the connection is closed', async () => {
  const { proxy } = await proxied();
  const heard = await client(proxy);
  await echo(heard, 'before');
  proxy.poison({ timeoutMs: 200 });
  heard.socket.write('after');
  const began = performance.now();
  await expect.poll(() => heard.closed, { interval: 5 }).not.toBe(null);
  expect(performance.now() - began).toBeGreaterThanOrEqual(150);
  expect(heard.text).toBe('before');
});

test('timeout without end: new connections are swallowed too, until it is cured', async () => {
  const { proxy } = await proxied();
  proxy.poison({ timeoutMs: Infinity });
  const heard = await client(proxy);
  heard.socket.write('lost');
  await sleep(200);
  expect([heard.text, heard.closed]).toEqual(['', null]);
  proxy.poison({});
  await echo(heard, 'found');
});

test('reset_peer: the connection is reset', async () => {
  const { proxy, atServer } = await proxied();
  const heard = await client(proxy);
  await echo(heard, 'hello');
  proxy.poison({ resetMs: 0 });
  await expect.poll(() => heard.closed).toBe('ECONNRESET');
  await expect.poll(() => atServer.size).toBe(0);
  const next = await client(proxy);
  await expect.poll(() => next.closed).toBe('ECONNRESET');
});

test('down: connections are closed and refused, until it is restored', async () => {
  const { proxy, atServer } = await proxied();
  const heard = await client(proxy);
  await echo(heard, 'hello');
  await proxy.down();
  await expect.poll(() => [heard.closed !== null, atServer.size]).toEqual([true, 0]);
  await expect(client(proxy)).rejects.toMatchObject({ code: 'ECONNREFUSED' });
  await proxy.restore();
  await echo(await client(proxy), 'hello again');
});

test('frozen connections stay open on both ends whatever is done to them, and new ones pass', async () => {
  const { proxy, atServer } = await proxied();
  const [frozen, left] = [await client(proxy), await client(proxy)];
  await echo(frozen, 'hello');
  await echo(left, 'hello');
  proxy.freeze();
  frozen.socket.write('lost');
  left.socket.destroy();
  await echo(await client(proxy), 'new');
  await sleep(200);
  expect([frozen.text, frozen.closed, atServer.size]).toEqual(['hello', null, 3]);
  await proxy.close();
  await expect.poll(() => [frozen.closed !== null, atServer.size]).toEqual([true, 0]);
});

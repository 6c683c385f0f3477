import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { freePort } from './ports.ts';
import type { Finish } from './process.ts';

/** The configuration that is shipped. */
export const HAPROXY_CONFIG = fileURLToPath(new URL('../../ops/haproxy/haproxy.cfg', import.meta.url));

/** Where the instances see the edge come from: another address of loopback than clients have. */
export const EDGE_ADDRESS = '127.0.0.2';

/** A running edge. */
export interface Haproxy {
  url: string;
  /** For what runs beside it. */
  insideUrl: string;
  /** For https, where a certificate was given. */
  secureUrl: string;
  /** Where its figures are. */
  internalUrl: string;
  /** What it has logged. */
  output(): string;
  /** Changes its configuration, and has it read anew. */
  reload(change: (text: string) => string): void;
}

/**
 * Starts HAProxy as it is shipped, but for addresses: it listens on loopback, before instances on the ports given. A third is one more line
 * in each backend; `change` changes what else a test needs.
 */
export async function startHaproxy(
  ports: [first: number, second: number, third?: number],
  {
    finish,
    certificate = '',
    change = (whole) => whole,
  }: { finish: Finish; certificate?: string; change?: (text: string) => string },
): Promise<Haproxy> {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-haproxy-'));
  const [edge, inside] = [await freePort(), await freePort()];
  const [secure, internal] = [await freePort(), await freePort()];
  const moved = [
    [/bind :8080$/m, `bind 127.0.0.1:${edge}`],
    [/bind :8081$/m, `bind 127.0.0.1:${inside}`],
    [/dst_port 8081/, `dst_port ${inside}`],
    [/bind :8443 /m, `bind 127.0.0.1:${secure} `],
    [/bind :8404$/m, `bind 127.0.0.1:${internal}`],
    [/app-1:3000$/gm, `127.0.0.1:${ports[0]} source ${EDGE_ADDRESS}`],
    [/app-2:3000$/gm, `127.0.0.1:${ports[1]} source ${EDGE_ADDRESS}`],
  ] as const;
  const shipped = moved.reduce(
    (rest, [from, to]) => {
      if (rest.search(from) === -1)
        throw new Error(`ops/haproxy/haproxy.cfg has no ${from}: the test has to follow`);
      return rest.replace(from, to);
    },
    readFileSync(HAPROXY_CONFIG, 'utf8'),
  );
  const third = ports[2] === undefined ? '' : `\n  server app-3 127.0.0.1:${ports[2]} source ${EDGE_ADDRESS}`;
  const text = change(shipped.replaceAll(/^ {2}server app-2 .*$/gm, (line) => line + third));
  const path = join(folder, 'haproxy.cfg');
  writeFileSync(path, text);
  // As the image starts it.
  const child = spawn('haproxy', ['-W', '-db', '-f', path], {
    env: { PATH: process.env.PATH, EDGE_CERTIFICATE: certificate },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (more: string) => (output += more));
  const closed = once(child, 'close');
  finish(async () => {
    child.kill('SIGTERM');
    await closed;
    rmSync(folder, { recursive: true, force: true });
  });
  const internalUrl = `http://127.0.0.1:${internal}`;
  while ((await fetch(`${internalUrl}/healthy`).catch(() => null))?.status !== 200) {
    if (child.exitCode !== null) throw new Error(`HAProxy ended:\n${output}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  return {
    url: `http://127.0.0.1:${edge}`,
    insideUrl: `http://127.0.0.1:${inside}`,
    secureUrl: `https://127.0.0.1:${secure}`,
    internalUrl,
    output: () => output,
    reload: (change) => {
      writeFileSync(path, change(text));
      child.kill('SIGUSR2');
    },
  };
}

/** Waits until as many instances as given are sent requests. */
export async function instancesUp({ internalUrl }: Haproxy, wanted: number): Promise<void> {
  for (;;) {
    const text = await (await fetch(`${internalUrl}/metrics`)).text();
    const up = /^haproxy_backend_active_servers\{proxy="service"\} (\d+)/m.exec(text)?.[1];
    if (Number(up) === wanted) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

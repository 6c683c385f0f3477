import { connect, createServer, type AddressInfo } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Finish } from '../../../support/process.ts';

/** A way to a service that can be made bad. */
export interface Edge {
  url: string;
  /** How long it keeps every connection back. */
  delayMs: number;
  /** Cuts every connection of which the number, from 1 on, says so. */
  cuts: (number: number) => boolean;
}

/** Starts a TCP proxy before a service. */
export async function startEdge(target: string, finish: Finish): Promise<Edge> {
  const { port, hostname } = new URL(target);
  let number = 0;
  const edge: Edge = { url: '', delayMs: 0, cuts: () => false };
  const server = createServer((incoming) => {
    number += 1;
    incoming.on('error', () => {});
    if (edge.cuts(number)) return void incoming.destroy();
    void sleep(edge.delayMs, undefined, { ref: false }).then(() => {
      const outgoing = connect(Number(port), hostname);
      for (const [from, to] of [
        [incoming, outgoing],
        [outgoing, incoming],
      ] as const) {
        from.on('error', () => to.destroy());
        from.on('close', () => to.destroy());
        from.pipe(to);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  finish(() => void server.close());
  edge.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return edge;
}

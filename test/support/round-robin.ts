import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A load balancer on loopback: a connection goes to the next instance that says it is ready. */
export interface RoundRobin {
  address: string;
  add(instance: string): void;
  remove(instance: string): void;
  close(): Promise<void>;
}

const CHECK_MS = 250;

/** Starts a load balancer without instances. */
export async function startRoundRobin(): Promise<RoundRobin> {
  const ready = new Map<string, boolean>();
  const sockets = new Set<Socket>();
  let turn = 0;
  const check = async (instance: string) => {
    const answer = await fetch(`${instance}/health/ready`).catch(() => null);
    if (ready.has(instance)) ready.set(instance, answer?.status === 200);
  };
  const checks = setInterval(() => {
    for (const instance of ready.keys()) void check(instance);
  }, CHECK_MS);
  const server = createServer((incoming) => {
    const instances = [...ready].filter(([, isReady]) => isReady).map(([instance]) => instance);
    const instance = instances[turn++ % instances.length];
    if (instance === undefined) return incoming.destroy();
    const outgoing = connect(Number(new URL(instance).port), '127.0.0.1');
    for (const [from, to] of [
      [incoming, outgoing],
      [outgoing, incoming],
    ] as const) {
      sockets.add(from);
      from.on('error', () => to.destroy());
      from.on('close', () => {
        sockets.delete(from);
        to.destroy();
      });
      from.pipe(to);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    address: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    add: (instance) => {
      ready.set(instance, false);
      void check(instance);
    },
    remove: (instance) => void ready.delete(instance),
    async close() {
      clearInterval(checks);
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}

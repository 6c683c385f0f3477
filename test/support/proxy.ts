import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';

/** What is wrong with a way through the proxy; nothing is where nothing is given. */
export interface Toxics {
  /** All that is said arrives so much later. */
  latencyMs?: number;
  bytesPerSecond?: number;
  /** What is said arrives in pieces of so many bytes, with a pause after each. */
  slice?: { bytes: number; pauseMs: number };
  /** The connection is closed when so many bytes have passed. */
  limitBytes?: number;
  /** When one end has closed the connection, the other hears of it so much later. */
  slowCloseMs?: number;
  /** Nothing arrives, and the connection is closed after so long; `Infinity`: it stays open and says nothing. */
  timeoutMs?: number;
  /** The connection is reset after so long. */
  resetMs?: number;
}

/** From the server to its clients, or from them to it. */
export type Way = 'down' | 'up';

/** A TCP proxy on loopback that does to its connections what networks do. */
export interface Proxy {
  port: number;
  /** How many connections are open. */
  open(): number;
  /** Makes one way toxic, for connections that are open and for new ones, until it is called again. */
  poison(toxics: Toxics, way?: Way): void;
  /** Freezes the connections that are open now, as after a failover: they stay open and say nothing. New ones pass. */
  freeze(): void;
  /** Sends new connections to another port; those that are open stay where they are. */
  aim(target: number): void;
  /** Closes every connection, and refuses new ones until `restore`. */
  down(): Promise<void>;
  restore(): Promise<void>;
  close(): Promise<void>;
}

const THROTTLE_MS = 50;
/** The longest that a timer can wait. */
const FOR_EVER_MS = 2 ** 31 - 1;

/** What one end of a connection says to the other. */
class Flow {
  readonly #from: Socket;
  readonly #to: Socket;
  #toxics: Toxics = {};
  #passed = 0;
  #queue: Promise<void> = Promise.resolve();
  #timers: NodeJS.Timeout[] = [];
  #frozen = false;

  constructor(from: Socket, to: Socket) {
    [this.#from, this.#to] = [from, to];
    from.on('data', (chunk: Buffer) => {
      const arrivesAt = performance.now() + (this.#toxics.latencyMs ?? 0);
      this.#then(() => this.#pass(chunk, arrivesAt));
    });
    from.on('error', () => {});
    from.on('end', () => this.#then(() => this.#end(() => to.end())));
    from.on('close', () => {
      for (const timer of this.#timers) clearTimeout(timer);
      this.#then(() => this.#end(() => to.destroySoon()));
    });
  }

  poison(toxics: Toxics): void {
    [this.#toxics, this.#passed] = [toxics, 0];
    for (const timer of this.#timers) clearTimeout(timer);
    const after = (ms: number | undefined, end: (socket: Socket) => void) =>
      ms === undefined || this.#frozen
        ? []
        : [setTimeout(() => [this.#from, this.#to].forEach(end), Math.min(ms, FOR_EVER_MS))];
    this.#timers = [
      ...after(toxics.timeoutMs, (socket) => socket.destroy()),
      ...after(toxics.resetMs, (socket) => socket.resetAndDestroy()),
    ];
  }

  freeze(): void {
    this.poison({});
    this.#frozen = true;
    this.#from.pause();
  }

  /** One after the other, and nothing any more when frozen. */
  #then(work: () => void | Promise<void>): void {
    this.#queue = this.#queue.then(async () => {
      if (!this.#frozen) await work();
    });
  }

  async #end(end: () => void): Promise<void> {
    if (this.#toxics.slowCloseMs !== undefined) await sleep(this.#toxics.slowCloseMs);
    end();
  }

  async #pass(chunk: Buffer, arrivesAt: number): Promise<void> {
    await sleepUntil(arrivesAt);
    for (let rest = chunk; rest.length > 0 && !this.#frozen && !this.#to.destroyed;) {
      const { bytesPerSecond = Infinity, slice, limitBytes = Infinity, timeoutMs } = this.#toxics;
      if (timeoutMs !== undefined) return;
      const most = Math.ceil((bytesPerSecond * THROTTLE_MS) / 1_000);
      const piece = rest.subarray(0, Math.min(most, slice?.bytes ?? Infinity, limitBytes - this.#passed));
      rest = rest.subarray(piece.length);
      this.#passed += piece.length;
      this.#to.write(piece);
      if (this.#passed >= limitBytes) return this.#cut();
      await sleepUntil(performance.now() + (slice?.pauseMs ?? 0) + (piece.length / bytesPerSecond) * 1_000);
    }
  }

  #cut(): void {
    this.#from.destroy();
    this.#to.destroySoon();
  }
}

async function sleepUntil(time: number): Promise<void> {
  const ms = time - performance.now();
  if (ms > 0) await sleep(ms);
}

/** Starts a proxy to a port of loopback. */
export async function startProxy(target: number): Promise<Proxy> {
  const sockets = new Set<Socket>();
  const flows = new Map<Flow, Way>();
  const toxics: Record<Way, Toxics> = { down: {}, up: {} };
  let aimedAt = target;
  const server = createServer({ allowHalfOpen: true }, (incoming) => {
    const outgoing = connect({ port: aimedAt, host: '127.0.0.1', allowHalfOpen: true });
    for (const [way, from, to] of [
      ['up', incoming, outgoing],
      ['down', outgoing, incoming],
    ] as const) {
      const flow = new Flow(from, to);
      flow.poison(toxics[way]);
      flows.set(flow, way);
      sockets.add(from);
      from.on('close', () => {
        sockets.delete(from);
        flows.delete(flow);
      });
    }
  });
  const port = await listening(server, 0);
  const down = async () => {
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.destroy();
    await closed;
  };
  return {
    port,
    open: () => sockets.size / 2,
    poison(given, way = 'down') {
      toxics[way] = given;
      for (const [flow, itsWay] of flows) if (itsWay === way) flow.poison(given);
    },
    freeze() {
      for (const flow of flows.keys()) flow.freeze();
      flows.clear();
    },
    aim: (port) => void (aimedAt = port),
    down,
    restore: async () => void (await listening(server, port)),
    close: () => (server.listening ? down() : Promise.resolve()),
  };
}

async function listening(server: Server, port: number): Promise<number> {
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return (server.address() as AddressInfo).port;
}

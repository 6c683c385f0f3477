import { Agent, request } from 'node:http';

// Sends requests at a steady rate, whether those before were answered or not, in a process of its own: see steady.ts.

const { url, perSecond, paths } = JSON.parse(process.argv[2] ?? '') as {
  url: string;
  perSecond: number;
  paths: { path: string; body?: string }[];
};
const TICK_MS = 10;
const { hostname, port } = new URL(url);
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

let asked = 0;
let open = 0;
let slowestMs = 0;
const failures = new Map<string, number>();
const fail = (what: string) => failures.set(what, (failures.get(what) ?? 0) + 1);

function send({ path, body }: { path: string; body?: string }): void {
  const began = performance.now();
  asked += 1;
  open += 1;
  const end = (failure: string | null) => {
    open -= 1;
    slowestMs = Math.max(slowestMs, performance.now() - began);
    if (failure !== null) fail(`${path}: ${failure}`);
  };
  const options =
    body === undefined
      ? {}
      : {
          method: 'POST',
          headers: { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) },
        };
  const sent = request({ hostname, port, path, agent, ...options }, (response) => {
    response.resume();
    response.once('end', () => end(response.statusCode === 200 ? null : String(response.statusCode)));
    response.once('error', (error) => end(error.message));
  });
  sent.once('error', (error) => {
    // A connection that was kept and is closed under a request is opened anew by any client: only this one is told.
    if (sent.reusedSocket && (error as NodeJS.ErrnoException).code === 'ECONNRESET') {
      open -= 1;
      asked -= 1;
      send({ path, ...(body === undefined ? {} : { body }) });
    } else end(error.message);
  });
  sent.end(body);
}

const began = performance.now();
let turn = 0;
const timer = setInterval(() => {
  const due = ((performance.now() - began) / 1_000) * perSecond;
  // After a pause of the machine, what was missed is not sent at once.
  for (let number = 0; turn < due && number < perSecond / 10; number += 1, turn += 1) {
    const next = paths[turn % paths.length];
    if (next !== undefined) send(next);
  }
  turn = Math.max(turn, due - perSecond);
}, TICK_MS);

process.once('message', () => {
  clearInterval(timer);
  const report = () => {
    if (open > 0) return void setTimeout(report, TICK_MS);
    process.send?.({ asked, failures: [...failures], slowestMs: Math.round(slowestMs) });
    agent.destroy();
    process.disconnect();
  };
  report();
});

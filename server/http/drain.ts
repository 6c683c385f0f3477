import { setTimeout } from 'node:timers/promises';
import type { FastifyInstance } from 'fastify';

const DRAIN_MS = 6_000;
const DRAIN_STEP_MS = 50;

/**
 * Closes the server: goes on for `delayMs`, then answers what is in flight and cuts what is still open after 6 s. Fastify
 * 5.12 alone waits for kept-alive connections.
 */
export async function drain(http: FastifyInstance, delayMs: number): Promise<void> {
  await setTimeout(delayMs);
  const idle = setInterval(() => http.server.closeIdleConnections(), DRAIN_STEP_MS);
  const cut = globalThis.setTimeout(() => http.server.closeAllConnections(), DRAIN_MS);
  try {
    await http.close();
  } finally {
    clearInterval(idle);
    clearTimeout(cut);
  }
}

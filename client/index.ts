import { createTRPCClient, httpBatchLink, type TRPCClient } from '@trpc/client';
import type { AppRouter } from '../contracts/index.ts';

export type { AppRouter } from '../contracts/index.ts';
export type { Problem } from '../contracts/errors.ts';
export type { Model, ModelDetail } from '../contracts/models.ts';
export type { Offer, Prices, Pricing } from '../contracts/offers.ts';
export type { Provider } from '../contracts/providers.ts';
export type { Candidate, Hint, Match } from '../contracts/names.ts';
export type { Resolution, Resolved } from '../contracts/resolve.ts';
export type { Source, SyncRun } from '../contracts/sync.ts';

/** Where the service is, and what every request carries. */
export interface ClientOptions {
  /** Address of the service, e.g. `http://127.0.0.1:3000`. */
  baseUrl: string;
  /** Headers of every request, e.g. `{ 'x-admin': secret }`. */
  headers?: Record<string, string>;
}

/** A client with every operation of the API; calls made at once travel in one request. Errors are `TRPCClientError`s whose `data` is a `Problem`. */
export type Client = TRPCClient<AppRouter>;

/** Makes a typed client of a service. */
export function createClient({ baseUrl, headers = {} }: ClientOptions): Client {
  return createTRPCClient<AppRouter>({
    links: [httpBatchLink({ url: `${baseUrl.replace(/\/+$/, '')}/trpc`, headers })],
  });
}

import type { z } from 'zod';
import type { Context, Operation } from './operation.ts';

/** Media type of server-sent events. */
export const EVENT_STREAM = 'text/event-stream';

/** An operation whose answer is not JSON: it is in REST and in the document, not in tRPC. */
export interface RawOperation<Input extends z.ZodObject = z.ZodObject> extends Pick<
  Operation<'GET', Input>,
  'method' | 'path' | 'summary' | 'description' | 'tags' | 'query' | 'admin' | 'cache' | 'errors' | 'input'
> {
  /** What it answers with. */
  mediaType: string;
  /** An answer in short. */
  example: string;
  /** Inputs that may come in a header too, which goes before the query. */
  headers: Record<string, string>;
}

/** Writes a raw operation down, with the usual values filled in. */
export function rawOperation<Input extends z.ZodObject>(
  spec: Pick<
    RawOperation<Input>,
    'path' | 'summary' | 'description' | 'tags' | 'input' | 'mediaType' | 'example'
  > &
    Partial<RawOperation<Input>>,
): RawOperation<Input> {
  return { method: 'GET', query: [], admin: false, cache: null, errors: [], headers: {}, ...spec };
}

/** What a raw operation receives beside its input. */
export interface RawContext extends Context {
  /** Who asks: an IPv4 address, or the network of an IPv6 address. */
  address: string;
}

/** The handlers that raw operations need. What they answer with is up to the server. */
export type RawHandlersOf<Operations extends Record<string, RawOperation>, Answer> = {
  [Name in keyof Operations]: (
    input: z.output<Operations[Name]['input']>,
    context: RawContext,
  ) => Promise<Answer>;
};

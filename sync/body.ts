import { TransientError, UpstreamError } from './failure.ts';

/** Nesting beyond this is an attack on whatever recurses over it later; real catalogues stay below 20. */
const MAX_DEPTH = 200;

/** Reads a body as JSON in strict UTF-8, giving every chunk's decoded size to `count`; at most `maxBytes` are read. */
export async function readJson(
  place: string,
  response: Response,
  maxBytes: number,
  count: (bytes: number) => void,
): Promise<unknown> {
  const httpStatus = response.status;
  const chunks: AsyncIterable<Uint8Array> | null = response.body;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const descend = depthMeter();
  let text = '';
  let size = 0;
  for await (const chunk of chunks ?? []) {
    count(chunk.byteLength);
    size += chunk.byteLength;
    if (size > maxBytes) {
      throw new UpstreamError(
        'too_large',
        `${place} sends more than ${maxBytes} bytes; nothing of it was used.`,
        {
          httpStatus,
        },
      );
    }
    if (descend(chunk) > MAX_DEPTH) {
      throw new UpstreamError(
        'format',
        `${place} sends JSON that is nested deeper than ${MAX_DEPTH} levels.`,
        {
          httpStatus,
        },
      );
    }
    text += attempt(place, 'is not UTF-8', httpStatus, () => decoder.decode(chunk, { stream: true }));
  }
  text += attempt(place, 'is not UTF-8', httpStatus, () => decoder.decode());
  return attempt(place, 'is not JSON', httpStatus, (): unknown => JSON.parse(text));
}

/** Runs a step of decoding; the error of JSON.parse quotes the body, so it is not passed on. */
function attempt<T>(place: string, problem: string, httpStatus: number, step: () => T): T {
  try {
    return step();
  } catch {
    throw new TransientError('format', `${place} answered with a body that ${problem}.`, { httpStatus });
  }
}

/** Follows the nesting of JSON chunk by chunk; answers the deepest so far. */
function depthMeter(): (chunk: Uint8Array) => number {
  let depth = 0;
  let deepest = 0;
  let inString = false;
  let escaped = false;
  return (chunk) => {
    for (let at = 0; at < chunk.length; at++) {
      const byte = chunk[at];
      if (escaped) escaped = false;
      else if (byte === 0x5c) escaped = inString;
      else if (byte === 0x22) inString = !inString;
      else if (inString) continue;
      else if (byte === 0x5b || byte === 0x7b) deepest = Math.max(deepest, ++depth);
      else if (byte === 0x5d || byte === 0x7d) depth--;
    }
    return deepest;
  };
}

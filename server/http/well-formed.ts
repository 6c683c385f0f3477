import type { FastifyRequest } from 'fastify';
import { ApiError } from '../../contracts/errors.ts';

const MAX_HEADERS = 100;
/** A name or an address, and a port (RFC 9110, 7.2). */
const HOST = /^(\[[\da-f:.]+\]|[\w.~%!$&'()*+,;=-]*)(:\d*)?$/i;

/** Throws `ApiError` where a request is not what HTTP asks for, or more than anybody needs: Node 24 lets all of these pass. */
export function requireWellFormed({ raw }: FastifyRequest): void {
  const { rawHeaders, headers, httpVersion } = raw;
  if (rawHeaders.length > 2 * MAX_HEADERS) {
    throw new ApiError('BAD_REQUEST', `A request may have ${MAX_HEADERS} headers at most.`, {
      extra: { status: 431 },
    });
  }
  const hosts = rawHeaders.filter((name, index) => index % 2 === 0 && name.toLowerCase() === 'host');
  if (hosts.length > 1 || (hosts.length === 0 && httpVersion !== '1.0'))
    throw new ApiError('BAD_REQUEST', 'Send exactly one Host header.');
  if (raw.httpVersionMajor !== 1 || !HOST.test(headers.host ?? ''))
    throw new ApiError('BAD_REQUEST', 'Send HTTP/1.1, and a name or an address in the Host header.');
  const transfer = headers['transfer-encoding'];
  if (transfer !== undefined && (httpVersion === '1.0' || transfer.toLowerCase() !== 'chunked'))
    throw new ApiError('BAD_REQUEST', 'Send the body as it is, or in chunks of HTTP/1.1.', {
      headers: { Connection: 'close' },
    });
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity')
    throw new ApiError('UNSUPPORTED_MEDIA_TYPE', 'Send the body without a Content-Encoding.');
}

import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ApiError } from '../../contracts/errors.ts';

/** The path of a request as it was sent: without the query, not decoded. */
export function pathOf(request: FastifyRequest): string {
  const url = request.raw.url ?? '';
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

/** Whether a path is the canonical spelling of a route pattern: same segments, static ones letter by letter. */
function isCanonical(pattern: string, path: string): boolean {
  const expected = pattern.split('/');
  const actual = path.split('/');
  return (
    expected.length === actual.length &&
    expected.every((segment, index) => {
      const given = actual[index] ?? '';
      return segment.startsWith(':') || segment === '*' ? isName(given) : segment === given;
    })
  );
}

/** Whether a segment can name something: dots that lead elsewhere do not, however they are written. */
function isName(segment: string): boolean {
  if (segment === '') return false;
  const plain = segment.replaceAll(/%2e/gi, '.').replaceAll(/%2f|%5c|\\/gi, '/');
  return !plain.split('/').some((part) => part === '.' || part === '..');
}

/** The methods that each path takes, kept up to date while routes are registered. */
export interface PathTable {
  methodsOf(path: string): string[];
}

/** Lets canonical spellings through alone: other paths are 404, other methods 405, whatever the body says. */
export function createPathTable(app: FastifyInstance): PathTable {
  const routes: { pattern: string; methods: string[] }[] = [];
  app.addHook('onRoute', ({ url, method }) => {
    routes.push({ pattern: url, methods: [method].flat() });
  });
  return {
    methodsOf: (path) => {
      const methods = routes
        .filter(({ pattern }) => isCanonical(pattern, path))
        .flatMap((route) => route.methods);
      return [...new Set(methods)];
    },
  };
}

/** Throws NOT_FOUND or METHOD_NOT_SUPPORTED unless the request goes to a route by its canonical spelling. */
export function requireCanonicalPath(request: FastifyRequest, paths: PathTable): void {
  const path = pathOf(request);
  const pattern = request.routeOptions.url;
  if (!request.is404 && pattern !== undefined && isCanonical(pattern, path)) return;
  const methods = request.is404 ? paths.methodsOf(path) : [];
  if (methods.length === 0) throw notFound();
  throw new ApiError('METHOD_NOT_SUPPORTED', `This path takes ${methods.join(', ')}.`, {
    headers: { Allow: methods.join(', ') },
  });
}

/** The answer to a path that is not ours. */
export function notFound(): ApiError {
  return new ApiError(
    'NOT_FOUND',
    'There is no such path; paths are spelled exactly as /openapi.json lists them.',
  );
}

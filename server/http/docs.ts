import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { stringify } from 'yaml';
import { DOCS_POLICY } from './security.ts';

const DOCUMENT = new URL('../../openapi/openapi.json', import.meta.url);

const UI_MANIFEST = createRequire(import.meta.url).resolve('swagger-ui-dist/package.json');
const UI_VERSION = (JSON.parse(readFileSync(UI_MANIFEST, 'utf8')) as { version: string }).version;
const UI_FILES = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
  'favicon-32x32.png': 'image/png',
};

const PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>Effect Models API</title>
    <link rel="icon" type="image/png" href="docs/${UI_VERSION}/favicon-32x32.png" />
    <link rel="stylesheet" href="docs/${UI_VERSION}/swagger-ui.css" />
  </head>
  <body>
    <div id="swagger-ui"></div>
    <script src="docs/${UI_VERSION}/swagger-ui-bundle.js"></script>
    <script src="docs/start.js"></script>
  </body>
</html>
`;

const START = `window.ui = SwaggerUIBundle({
  url: 'openapi.json',
  dom_id: '#swagger-ui',
  deepLinking: true,
  displayRequestDuration: true,
  persistAuthorization: true,
  tryItOutEnabled: true,
  validatorUrl: null,
});
`;

/** gzip among what a client takes; a weight of 0 means that it does not. */
const GZIP = /\bgzip\b(?!\s*;\s*q=0(\.0*)?\s*(,|$))/i;

const SHORT = 'public, max-age=300';
const LONG = 'public, max-age=31536000, immutable';

/** Registers the published document, Swagger UI from local files, and the front page that links them. */
export function registerDocs(app: FastifyInstance): void {
  const json = readFileSync(DOCUMENT, 'utf8');
  const document = JSON.parse(json) as { info: { title: string; version: string } };
  const yaml = stringify(document, { aliasDuplicateObjects: false, lineWidth: 0 });
  const front = JSON.stringify({
    name: document.info.title,
    version: document.info.version,
    docs: '/docs',
    openapi: '/openapi.json',
    models: '/v1/models',
    status: '/v1/status',
    statusPage: '/status',
    health: '/health',
  });

  const serve = (url: string, type: string, cacheControl: string, body: string) => {
    app.route({
      method: ['GET', 'HEAD'],
      url,
      config: { operation: 'docs' },
      handler: (_, reply) => reply.type(type).header('cache-control', cacheControl).send(body),
    });
  };
  serve('/', 'application/json; charset=utf-8', SHORT, front);
  serve('/openapi.json', 'application/json; charset=utf-8', SHORT, json);
  serve('/openapi.yaml', 'application/yaml; charset=utf-8', SHORT, yaml);
  serve('/docs/start.js', 'text/javascript; charset=utf-8', SHORT, START);

  app.route({
    method: ['GET', 'HEAD'],
    url: '/docs',
    config: { operation: 'docs' },
    handler: (_, reply) => {
      reply.headers({ 'cache-control': SHORT, 'content-security-policy': DOCS_POLICY });
      return reply.type('text/html; charset=utf-8').send(PAGE);
    },
  });
  app.route({
    method: ['GET', 'HEAD'],
    url: '/docs/',
    config: { operation: 'docs' },
    handler: (_, reply) => reply.redirect('../docs', 308),
  });
  for (const [name, type] of Object.entries(UI_FILES)) registerUiFile(app, name, type);
}

/** Serves one file of Swagger UI under a path with its version; compressed once, not at every request. */
function registerUiFile(app: FastifyInstance, name: string, type: string): void {
  const plain = readFileSync(join(dirname(UI_MANIFEST), name));
  let packed: Buffer | undefined;
  const send = (reply: FastifyReply, acceptEncoding: string): FastifyReply => {
    reply.type(type).headers({ 'cache-control': LONG, vary: 'accept-encoding' });
    if (type === 'image/png' || !GZIP.test(acceptEncoding)) return reply.send(plain);
    packed ??= gzipSync(plain);
    return reply.header('content-encoding', 'gzip').send(packed);
  };
  app.route({
    method: ['GET', 'HEAD'],
    url: `/docs/${UI_VERSION}/${name}`,
    config: { operation: 'docs' },
    compress: false,
    handler: (request, reply) => send(reply, request.headers['accept-encoding']?.toString() ?? ''),
  });
}

import { readFileSync, writeFileSync } from 'node:fs';
import { createDocument } from './document.ts';

const file = new URL('openapi.json', import.meta.url);
const text = `${JSON.stringify(createDocument(), null, 2)}\n`;

if (!process.argv.includes('--check')) {
  writeFileSync(file, text);
  console.log('Wrote openapi/openapi.json');
} else if (readFileSync(file, 'utf8') === text) {
  console.log('openapi/openapi.json is fresh');
} else {
  console.error(
    'openapi/openapi.json is stale: the contracts have changed. Run `npm run openapi` and commit the file.',
  );
  process.exitCode = 1;
}

import { execFileSync } from 'node:child_process';
import { copyFileSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { ownFolder } from '../support/backups.ts';

interface Component {
  name: string;
  version: string;
  hashes: { alg: string; content: string }[];
  properties: { name: string; value: string }[];
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

test('the bill of materials has every package by the hash that it is installed by, and says which only developers need', () => {
  const folder = ownFolder();
  for (const file of ['package.json', 'package-lock.json', '.npmrc'])
    copyFileSync(join(ROOT, file), join(folder, file));
  execFileSync('npm', ['run', '--silent', 'sbom'], { cwd: folder });
  const { bomFormat, components } = JSON.parse(
    readFileSync(join(folder, 'dist', 'sbom.cdx.json'), 'utf8'),
  ) as {
    bomFormat: string;
    components: Component[];
  };
  expect(bomFormat).toBe('CycloneDX');
  const { packages } = JSON.parse(readFileSync(join(ROOT, 'package-lock.json'), 'utf8')) as {
    packages: Record<string, { version: string; integrity: string; dev?: true }>;
  };
  const wanted = Object.entries(packages)
    .filter(([path]) => path !== '')
    .map(([path, { version, integrity, dev }]) =>
      [path.split('node_modules/').at(-1), version, integrity, dev === true ? 'development' : ''].join(' '),
    );
  const listed = components.map(({ name, version, hashes, properties }) => {
    const [hash] = hashes;
    const integrity = `sha512-${Buffer.from(hash?.content ?? '', 'hex').toString('base64')}`;
    const dev = properties.some((property) => property.name === 'cdx:npm:package:development');
    return [name, version, integrity, dev ? 'development' : ''].join(' ');
  });
  expect([...new Set(listed)].toSorted()).toEqual([...new Set(wanted)].toSorted());
  expect(listed.length).toBeGreaterThan(100);
});

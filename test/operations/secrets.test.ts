import { createHash } from 'node:crypto';
import { chmodSync, chownSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ownFolder } from '../support/backups.ts';
import { runOps } from '../support/ops.ts';

test('a secret is rotated in an env file: beside the old one, then in place of it', async () => {
  const file = join(ownFolder(), 'service.env');
  const OLD = 'old-Secret-7Qm2vXk9LpR4sTw8ZbN3cJh6Fy1Dg5Ea0Uo';
  writeFileSync(file, `# production\nPORT=3000\nADMIN_SECRET=${OLD}\nADMIN_SECRET_NEXT=\n`);
  const early = await runOps(['rotate-secret', '--file', file, '--finish'], {});
  expect([early.code, early.stderr]).toEqual([1, expect.stringContaining('ADMIN_SECRET_NEXT in ')]);

  const begun = await runOps(['rotate-secret', '--file', file], {});
  expect([begun.code, begun.stdout]).toEqual([
    0,
    expect.stringContaining('--finish, and restart once more.'),
  ]);
  const [, next = ''] = /^ADMIN_SECRET_NEXT=(.+)$/m.exec(readFileSync(file, 'utf8')) ?? [];
  expect(next).toMatch(/^[\w-]{43}$/);
  expect(begun.stdout).not.toContain(next);
  expect(readFileSync(file, 'utf8')).toBe(
    `# production\nPORT=3000\nADMIN_SECRET=${OLD}\nADMIN_SECRET_NEXT=${next}\n`,
  );
  const twice = await runOps(['rotate-secret', '--file', file], {});
  expect([twice.code, twice.stderr]).toEqual([1, expect.stringContaining('a rotation is under way')]);

  expect((await runOps(['rotate-secret', '--file', file, '--finish'], {})).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(
    `# production\nPORT=3000\nADMIN_SECRET=${next}\nADMIN_SECRET_NEXT=\n`,
  );
  const missing = await runOps(['rotate-secret', '--file', `${file}.missing`], {});
  expect([missing.code, missing.stderr]).toEqual([1, expect.stringContaining('can not be read (ENOENT)')]);
  const printed = await runOps(['rotate-secret'], {});
  expect(printed.stdout).toMatch(/^New secret {2}[\w-]{43}\nIts hash {4}sha256:[0-9a-f]{64}\n/);
});

test('a secret in a file of others is rotated as it is there: owner, rights, and hash', async () => {
  const file = join(ownFolder(), 'service.env');
  const hashOf = (secret: string) => `sha256:${createHash('sha256').update(secret).digest('hex')}`;
  writeFileSync(file, `ADMIN_SECRET=${hashOf('old')}\n`);
  chmodSync(file, 0o640);
  if (process.getuid?.() === 0) chownSync(file, 4_711, 4_712);
  const { uid, gid, mode } = statSync(file);
  const begun = await runOps(['rotate-secret', '--file', file], {});
  expect(begun.code).toBe(0);
  const [, secret = ''] = /^New secret {2}([\w-]{43})$/m.exec(begun.stdout) ?? [];
  expect(readFileSync(file, 'utf8')).toBe(
    `ADMIN_SECRET=${hashOf('old')}\nADMIN_SECRET_NEXT=${hashOf(secret)}\n`,
  );
  expect((await runOps(['rotate-secret', '--file', file, '--finish'], {})).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toBe(`ADMIN_SECRET=${hashOf(secret)}\nADMIN_SECRET_NEXT=\n`);
  const after = statSync(file);
  expect([after.uid, after.gid, after.mode]).toEqual([uid, gid, mode]);
});

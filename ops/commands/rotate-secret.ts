import { createHash, randomBytes } from 'node:crypto';
import { readFile, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { OpsError, UsageError, type OpsCommand } from '../command.ts';
import { flush } from '../database/folder.ts';
import { writeLike } from '../write-like.ts';

/** 32 random bytes: 43 characters. */
const newSecret = (): string => randomBytes(32).toString('base64url');
const hashOf = (secret: string): string => `sha256:${createHash('sha256').update(secret).digest('hex')}`;

/** `rotate-secret`: a new admin secret beside the old one, then in place of it. */
export const rotateSecret: OpsCommand = {
  usage: '[--file <env file> [--finish]]',
  summary:
    'Makes a new admin secret; in an env file it becomes ADMIN_SECRET_NEXT, with --finish ADMIN_SECRET',
  async run({ print }, args) {
    const { values } = parseArgs({
      args,
      options: { file: { type: 'string' }, finish: { type: 'boolean' } },
    });
    if (values.finish && values.file === undefined) throw new UsageError('--finish needs --file');
    if (values.finish) {
      await finish(values.file ?? '');
      print(
        `ADMIN_SECRET in ${values.file} is the new secret now. Restart the instances one by one: the old one is void then.`,
      );
      return 0;
    }
    const secret = newSecret();
    if (values.file !== undefined) {
      for (const line of await begin(values.file, secret)) print(line);
      print('What to do next:');
    } else {
      print(`New secret  ${secret}`);
      print(`Its hash    ${hashOf(secret)}`);
      print('What to do next:');
      print('  0. Set ADMIN_SECRET_NEXT to the secret, or to its hash.');
    }
    print('  1. Restart the instances one by one: both secrets are valid.');
    print('  2. Hand the new secret to everybody and everything that uses the old one.');
    print(
      values.file === undefined
        ? '  3. Move ADMIN_SECRET_NEXT to ADMIN_SECRET, and restart once more.'
        : `  3. npm run ops -- rotate-secret --file ${values.file} --finish, and restart once more.`,
    );
    return 0;
  },
};

/** Puts a new secret beside the old one, as a hash where that is one. Answers with what to say. */
async function begin(file: string, secret: string): Promise<string[]> {
  const text = await read(file);
  if (valueIn(text, 'ADMIN_SECRET_NEXT') !== null)
    throw new OpsError(
      `ADMIN_SECRET_NEXT in ${file} is set: a rotation is under way. End it with --finish, or empty it`,
    );
  const isHashed = valueIn(text, 'ADMIN_SECRET')?.startsWith('sha256:') ?? false;
  await write(file, withValue(text, 'ADMIN_SECRET_NEXT', isHashed ? hashOf(secret) : secret));
  return isHashed
    ? [
        `New secret  ${secret}`,
        `ADMIN_SECRET_NEXT in ${file} is its hash, as ADMIN_SECRET is one: keep the secret, it is shown only here.`,
      ]
    : [`ADMIN_SECRET_NEXT in ${file} is a new secret.`];
}

async function finish(file: string): Promise<void> {
  const text = await read(file);
  const next = valueIn(text, 'ADMIN_SECRET_NEXT');
  if (next === null)
    throw new OpsError(`ADMIN_SECRET_NEXT in ${file} is not set: begin with rotate-secret --file ${file}`);
  await write(file, withValue(withValue(text, 'ADMIN_SECRET', next), 'ADMIN_SECRET_NEXT', ''));
}

async function read(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new OpsError(
      `the file ${file} can not be read (${(error as NodeJS.ErrnoException).code}): name the env file of the service`,
      { cause: error },
    );
  }
}

/** Replaces a file whole: whoever could read it can do so still, and nobody else. */
async function write(file: string, text: string): Promise<void> {
  const beside = `${file}.new`;
  await writeLike(file, beside, text);
  await rename(beside, file);
  await flush(dirname(file));
}

const lineOf = (name: string): RegExp => new RegExp(`^(export )?${name}=(.*)$`, 'm');

function valueIn(text: string, name: string): string | null {
  const value = lineOf(name)
    .exec(text)?.[2]
    ?.trim()
    .replaceAll(/^["']|["']$/g, '');
  return value === undefined || value === '' ? null : value;
}

function withValue(text: string, name: string, value: string): string {
  const line = `${name}=${value}`;
  if (lineOf(name).test(text)) return text.replace(lineOf(name), (_, exported = '') => `${exported}${line}`);
  return `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}\n`;
}

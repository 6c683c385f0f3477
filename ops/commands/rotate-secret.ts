import { createHash, randomBytes } from 'node:crypto';
import { chmodSync, existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { OpsError, UsageError, type OpsCommand } from '../command.ts';

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
      finish(values.file ?? '');
      print(
        `ADMIN_SECRET in ${values.file} is the new secret now. Restart the instances one by one: the old one is void then.`,
      );
      return 0;
    }
    const secret = newSecret();
    if (values.file !== undefined) {
      if (!existsSync(values.file)) throw new OpsError(`there is no file ${values.file}`);
      if (valueIn(read(values.file), 'ADMIN_SECRET_NEXT') !== null)
        throw new OpsError(
          `ADMIN_SECRET_NEXT in ${values.file} is set: a rotation is under way. End it with --finish, or empty it`,
        );
      write(values.file, withValue(read(values.file), 'ADMIN_SECRET_NEXT', secret));
      print(`ADMIN_SECRET_NEXT in ${values.file} is a new secret. What to do next:`);
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

function finish(file: string): void {
  if (!existsSync(file)) throw new OpsError(`there is no file ${file}`);
  const text = read(file);
  const next = valueIn(text, 'ADMIN_SECRET_NEXT');
  if (next === null)
    throw new OpsError(`ADMIN_SECRET_NEXT in ${file} is not set: begin with rotate-secret --file ${file}`);
  write(file, withValue(withValue(text, 'ADMIN_SECRET', next), 'ADMIN_SECRET_NEXT', ''));
}

const read = (file: string): string => readFileSync(file, 'utf8');

/** Replaces a file whole, readable by its owner alone. */
function write(file: string, text: string): void {
  const beside = `${file}.new`;
  writeFileSync(beside, text, { mode: 0o600 });
  chmodSync(beside, 0o600);
  renameSync(beside, file);
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

import { execFile } from 'node:child_process';
import { copyFileSync, cpSync, mkdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { buildContext } from './build-context.ts';
import { environmentOf, readDockerfile, wholeOf, type Instruction, type Stage } from './dockerfile.ts';

const run = promisify(execFile);

/** What the steps of a Dockerfile have left in a folder that stands for the root of a container. */
export interface Image {
  root: string;
  /** Where commands are started, under `root`. */
  workdir: string;
  environment: Record<string, string>;
  uid: number;
  command: string[];
  healthcheck: string[];
}

/** Absolute paths of a container, moved under the folder that stands for its root. */
const under = (root: string, text: string): string => text.replace(/(^|[\s=:])\/(?=\w)/g, `$1${root}/`);

/** What npm passes on to scripts would make an npm in another folder work in this one. */
function environmentOfBuild(root: string): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(npm_(package|lifecycle)_|npm_config_(local_prefix|prefix)$|NODE_|VITEST)/.test(name),
  );
  return { ...Object.fromEntries(kept), PATH: `${root}/usr/local/bin:${process.env.PATH}` };
}

/** Copies as COPY does: the contents of folders, and files into folders or under the name given. */
function copy(
  sources: string[],
  target: string,
  { from, files }: { from: string; files: string[] | null },
): void {
  const intoFolder = target.endsWith('/') || sources.length > 1;
  for (const source of sources) {
    const path = join(from, source);
    if (files === null) cpSync(path, target, { recursive: true, verbatimSymlinks: true });
    else if (statSync(path).isFile()) place(path, intoFolder ? join(target, basename(path)) : target);
    else
      for (const file of files.filter((file) => file.startsWith(`${join(source)}/`)))
        place(join(from, file), join(target, file.slice(join(source).length)));
  }
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Runs the steps of a Dockerfile one by one in `directory`, each stage in a folder of its own; what only an engine can do is left out. */
export async function buildImage(context: string, directory: string, target?: string): Promise<Image> {
  const stages = readDockerfile(readFileSync(join(context, 'Dockerfile'), 'utf8'));
  const files = buildContext(context);
  const rootOf = (name: string) => join(directory, name);

  const build = async (stage: Stage): Promise<void> => {
    const root = rootOf(stage.name);
    const base = stages.find(({ name }) => name === stage.base);
    if (base === undefined) place(process.execPath, join(root, 'usr/local/bin/node'));
    else {
      await build(base);
      await run('cp', ['--archive', rootOf(base.name), root]);
    }
    let workdir = base === undefined ? '/' : workdirOf(wholeOf(base, stages));
    for (const { keyword, flags, words, text } of stage.instructions) {
      if (keyword === 'WORKDIR') {
        workdir = text;
        mkdirSync(join(root, workdir), { recursive: true });
      } else if (keyword === 'RUN')
        await run('sh', ['-c', under(root, text)], {
          cwd: join(root, workdir),
          env: environmentOfBuild(root),
        });
      else if (keyword === 'COPY') {
        const [to = '', ...sources] = words.toReversed();
        const destination = to.startsWith('/')
          ? root + to
          : `${join(root, workdir, to)}${to === './' ? '/' : ''}`;
        const earlier = stages.find(({ name }) => name === flags.from);
        if (earlier === undefined) copy(sources, destination, { from: context, files });
        else {
          await build(earlier);
          copy(sources, destination, { from: rootOf(earlier.name), files: null });
        }
      }
    }
  };

  const result = stages.find(({ name }) => name === target) ?? stages.at(-1);
  if (result === undefined) throw new Error('The Dockerfile has no stage');
  await build(result);
  return imageOf(wholeOf(result, stages), rootOf(result.name));
}

const workdirOf = (instructions: Instruction[]): string =>
  instructions.findLast(({ keyword }) => keyword === 'WORKDIR')?.text ?? '/';

function imageOf(instructions: Instruction[], root: string): Image {
  const last = (keyword: string) => instructions.findLast((instruction) => instruction.keyword === keyword);
  const environment = Object.assign(
    {},
    ...instructions.filter(({ keyword }) => keyword === 'ENV').map(environmentOf),
  ) as Record<string, string>;
  return {
    root,
    workdir: join(root, workdirOf(instructions)),
    environment: Object.fromEntries(
      Object.entries(environment).map(([name, value]) => [name, under(root, value)]),
    ),
    uid: Number(last('USER')?.text.split(':')[0]),
    command: last('CMD')?.exec ?? [],
    healthcheck: last('HEALTHCHECK')?.exec ?? [],
  };
}

import { wholeOf, type Instruction, type Stage } from './dockerfile.ts';

/** What is linted against: the files that a builder is sent. */
interface Context {
  files: string[];
}

/** Says what is wrong with an instruction; null: nothing. */
type Rule = (instruction: Instruction, place: { stages: Stage[]; stage: Stage } & Context) => string | null;

const SECRET = /(SECRET|TOKEN|PASSWORD|API_KEY|CREDENTIAL)/i;

const rules: Record<string, Rule> = {
  ADD: () => 'COPY copies, ADD also fetches and unpacks',
  COPY({ flags, words }, { files, stages, stage }) {
    if (flags.from !== undefined) {
      const known = stages.slice(0, stages.indexOf(stage)).some(({ name }) => name === flags.from);
      return known ? null : `there is no earlier stage ${flags.from}`;
    }
    const missing = words
      .slice(0, -1)
      .map((source) => source.replace(/^\.\//, ''))
      .filter((source) => !files.some((file) => file === source || file.startsWith(`${source}/`)));
    return missing.length === 0
      ? null
      : `nothing to copy, or .dockerignore keeps it back: ${missing.join(', ')}`;
  },
  WORKDIR: ({ text }) => (text.startsWith('/') ? null : 'the path must be absolute'),
  CMD: ({ exec }) => (exec === null ? 'use exec form: a shell would not pass SIGTERM on' : null),
  ENTRYPOINT: ({ exec }) => (exec === null ? 'use exec form: a shell would not pass SIGTERM on' : null),
  HEALTHCHECK: ({ exec }) => (exec === null ? 'use exec form: no shell is needed' : null),
  ENV: ({ text }) => (SECRET.test(text) ? 'secrets stay in the layers for ever' : null),
  ARG: ({ text }) => (SECRET.test(text) ? 'secrets stay in the layers for ever' : null),
  RUN({ text }) {
    if (/\bsudo\b/.test(text)) return 'there is no need for sudo';
    if (/(curl|wget)\b.*\|/.test(text)) return 'what comes from the network is run unseen';
    if (!/\bapt(-get)? /.test(text)) return null;
    if (!/apt-get update\b.*apt-get install\b/.test(text)) return 'update and install belong into one step';
    if (!/apt-get install\b.*--no-install-recommends\b/.test(text)) return 'add --no-install-recommends';
    if (!/apt-get install\b.*(--yes|-y)\b/.test(text)) return 'add --yes: nobody answers';
    return /rm -rf \/var\/lib\/apt\/lists/.test(text) ? null : 'remove the lists of apt in the same step';
  },
};

function lintBase({ base }: Stage, earlier: Stage[]): string | null {
  if (earlier.some(({ name }) => name === base)) return null;
  return /^[^:@\s]+:\d+\.\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/.test(base)
    ? null
    : `pin ${base} to a full version`;
}

/** What holds for a stage that something is started from, rather than copied out of. */
function lintResult(stage: Stage, stages: Stage[]): string[] {
  const whole = wholeOf(stage, stages);
  const last = (keyword: string) => whole.findLast((instruction) => instruction.keyword === keyword);
  const problems: string[] = [];
  if (!/^[1-9]\d*:[1-9]\d*$/.test(last('USER')?.text ?? ''))
    problems.push('name a user by number, and not root');
  if (last('CMD') === undefined) problems.push('say what is run: CMD');
  if (last('ENTRYPOINT') === undefined && last('HEALTHCHECK') === undefined)
    problems.push('say how to see that it works: HEALTHCHECK');
  return problems;
}

/** Lints a Dockerfile; answers with one line a finding, `<line>: <what is wrong>`. */
export function lintDockerfile(stages: Stage[], context: Context): string[] {
  return stages.flatMap((stage, index) => {
    const base = lintBase(stage, stages.slice(0, index));
    const isResult = !stages
      .slice(index + 1)
      .some(
        (later) =>
          later.base === stage.name || later.instructions.some(({ flags }) => flags.from === stage.name),
      );
    return [
      ...(base === null ? [] : [`${stage.line}: ${base}`]),
      ...stage.instructions.flatMap((instruction) => {
        const problem = rules[instruction.keyword]?.(instruction, { ...context, stages, stage }) ?? null;
        return problem === null ? [] : [`${instruction.line}: ${instruction.keyword}: ${problem}`];
      }),
      ...(isResult
        ? lintResult(stage, stages).map((problem) => `${stage.line}: ${stage.name}: ${problem}`)
        : []),
    ];
  });
}

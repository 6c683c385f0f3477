import { DockerfileParser, type Instruction as Parsed, ModifiableInstruction } from 'dockerfile-ast';

/** One instruction of a Dockerfile. */
export interface Instruction {
  /** Its first line, counted from 1. */
  line: number;
  keyword: string;
  flags: Record<string, string>;
  /** What follows the flags, its lines joined. */
  text: string;
  /** The words of what follows the flags. */
  words: string[];
  /** What it says in exec form; null: it is not in exec form. */
  exec: string[] | null;
}

/** One stage: from what it starts, and what is done on top. */
export interface Stage {
  line: number;
  name: string;
  /** An image, or the name of an earlier stage. */
  base: string;
  instructions: Instruction[];
}

function execOf(text: string): string[] | null {
  const list = text.replace(/^CMD\s+(?=\[)/i, '');
  if (!list.startsWith('[')) return null;
  try {
    return JSON.parse(list) as string[];
  } catch {
    return null;
  }
}

function read(parsed: Parsed): Instruction {
  const flags = parsed instanceof ModifiableInstruction ? parsed.getFlags() : [];
  const text = (parsed.getArgumentsContent() ?? '').trim();
  return {
    line: parsed.getRange().start.line + 1,
    keyword: parsed.getKeyword(),
    flags: Object.fromEntries(flags.map((flag) => [flag.getName(), flag.getValue() ?? ''])),
    text,
    words: text.split(/\s+/),
    exec: execOf(text),
  };
}

/** Reads a Dockerfile into its stages. */
export function readDockerfile(content: string): Stage[] {
  const stages: Stage[] = [];
  for (const instruction of DockerfileParser.parse(content).getInstructions().map(read)) {
    const { line, keyword, words } = instruction;
    if (keyword === 'FROM')
      stages.push({ line, base: words[0] ?? '', name: words[2] ?? String(stages.length), instructions: [] });
    else stages.at(-1)?.instructions.push(instruction);
  }
  return stages;
}

/** The instructions of a stage with those of the stages that it starts from, in the order in which they take effect. */
export function wholeOf(stage: Stage, stages: Stage[]): Instruction[] {
  const base = stages.find(({ name }) => name === stage.base);
  return [...(base === undefined ? [] : wholeOf(base, stages)), ...stage.instructions];
}

/** Variables that an `ENV` instruction sets. */
export function environmentOf({ text }: Instruction): Record<string, string> {
  const pairs = [...text.matchAll(/([A-Z_]+)=("[^"]*"|\S*)/gi)];
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value.replace(/^"|"$/g, '')]));
}

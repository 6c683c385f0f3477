import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** The project's root. */
export const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** A fenced block of a document. */
export interface Block {
  document: string;
  /** Line of its fence, from 1. */
  line: number;
  language: string;
  /** What follows the language on its fence: of a block that is not run here, why. */
  info: string;
  text: string;
  /** The heading that it stands under. */
  heading: string;
}

/** Every fenced block of a document, in order. */
export function blocksOf(document: string): Block[] {
  const blocks: Block[] = [];
  let open: Block | null = null;
  let heading = '';
  for (const [index, line] of readFileSync(`${ROOT}/${document}`, 'utf8').split('\n').entries()) {
    const fence = /^( *)```(\w*) ?(.*)$/.exec(line);
    if (open === null) {
      heading = /^#+ (.+)$/.exec(line)?.[1] ?? heading;
      if (fence === null) continue;
      const [, , language = '', info = ''] = fence;
      open = { document, line: index + 1, language, info, text: '', heading };
    } else if (fence === null)
      open.text += `${line.trimStart() === line ? line : line.replace(/^ {3}/, '')}\n`;
    else {
      blocks.push(open);
      open = null;
    }
  }
  if (open !== null) throw new Error(`${document}:${open.line} has no end`);
  return blocks;
}

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

interface Rule {
  keeps: boolean;
  pattern: RegExp;
  /** The first folder or file that the rule names. */
  top: string;
}

/** A pattern of .dockerignore; what is under a folder that it names goes with the folder. */
function expressionOf(pattern: string): RegExp {
  const parts = pattern
    .split(/(\*\*\/|\*\*|\*|\?)/)
    .map(
      (part) =>
        ({ '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' })[part] ??
        part.replace(/[.+^${}()|[\]\\]/g, '\\$&'),
    );
  return new RegExp(`^${parts.join('')}(/|$)`);
}

function readRules(content: string): Rule[] {
  return content
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const pattern = line.replace(/^!?\/?/, '').replace(/\/$/, '');
      return {
        keeps: line.startsWith('!'),
        pattern: expressionOf(pattern),
        top: pattern.split('/')[0] ?? '',
      };
    });
}

/** The files under `root` that a builder is sent, as paths from there: the last rule of .dockerignore that names a file decides. */
export function buildContext(root: string): string[] {
  const rules = readRules(readFileSync(join(root, '.dockerignore'), 'utf8'));
  const isKept = (path: string) => rules.findLast(({ pattern }) => pattern.test(path))?.keeps ?? true;
  const files: string[] = [];
  const walk = (folder: string): void => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      const top = path.split('/')[0];
      if (!entry.isDirectory()) {
        if (isKept(path)) files.push(path);
      } else if (isKept(path) || rules.some((rule) => rule.keeps && rule.top === top)) walk(path);
    }
  };
  walk('');
  return files;
}

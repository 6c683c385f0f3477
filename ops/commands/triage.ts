import { parseArgs } from 'node:util';
import type { OpsCommand } from '../command.ts';
import { minute, table } from '../text.ts';
import type { Finding } from '../triage/finding.ts';
import { triage as findOut } from '../triage/triage.ts';

const MARK: Record<Finding['state'], string> = { ok: 'ok', bad: 'BAD', unknown: '?' };

/** `triage`: the incident checklist on one screen. */
export const triage: OpsCommand = {
  usage: '[--json]',
  summary: 'What is wrong, where, why and since when, on one screen; 0 all is well, 1 something is not',
  async run(context, args) {
    const { values } = parseArgs({ args, options: { json: { type: 'boolean' } } });
    const findings = await findOut(context);
    const bad = findings.filter(({ state }) => state === 'bad');
    if (values.json) context.print(JSON.stringify(findings, null, 2));
    else {
      context.print(`Effect Models, ${minute(new Date().toISOString())}`);
      context.print('');
      for (const line of table(findings.map(({ name, state, text }) => [MARK[state], name, text])))
        context.print(line);
      const todos = findings.filter(({ state, todo }) => state !== 'ok' && todo !== undefined);
      if (todos.length > 0) context.print('\nWhat to do next:');
      for (const { name, todo } of todos) context.print(`  ${name}: ${todo}`);
    }
    return bad.length === 0 ? 0 : 1;
  },
};

import type { Transaction } from 'kysely';
import type { Match } from '../../contracts/names.ts';
import type { IdentityChangeRow } from '../../sync/rows.ts';
import { readStored } from '../../sync/provenance.ts';
import type { SourceDefinition } from '../../sync/source.ts';
import { itemsOfModel } from '../db/items.ts';
import type { View } from '../db/view.ts';
import { changesOfId, modelsById } from '../db/names.ts';
import type { Tables } from '../db/orm.ts';

/** The most changes that are followed from a former id. */
const MAX_STEPS = 20;

/** What became of an id, in a sentence. */
export function changeInWords({ at, kind, fromId, toId, reason }: IdentityChangeRow): string {
  const day = at.slice(0, 10);
  if (kind === 'split') return `${toId} was split off ${fromId} on ${day}: ${reason}`;
  const became = kind === 'merged' ? 'was merged into' : 'was renamed to';
  return `${fromId} ${became} ${toId} on ${day}: ${reason}`;
}

/** What became of a former id, step by step to the model that it is now; what split off on the way is told last. */
export async function changesSince(db: Transaction<Tables>, id: string): Promise<IdentityChangeRow[]> {
  const steps: IdentityChangeRow[] = [];
  const splits: IdentityChangeRow[] = [];
  const seen = new Set<string>();
  for (let at: string | undefined = id; at !== undefined && !seen.has(at) && seen.size < MAX_STEPS;) {
    seen.add(at);
    const changes = await changesOfId(db, at);
    splits.push(...changes.filter(({ kind }) => kind === 'split'));
    const last = changes.findLast(({ kind }) => kind !== 'split');
    if (last !== undefined) steps.push(last);
    at = last?.toId;
  }
  return [...steps, ...splits];
}

/** Why a former id means the model that it means now. */
export async function formerMatch(
  db: Transaction<Tables>,
  name: string,
  { modelId, source }: { modelId: string; source: string },
  view: View,
): Promise<Match> {
  if (source !== 'former') {
    const evidence = [`${source} called ${modelId} so in an earlier catalogue`];
    return { kind: 'alias', rule: 'known-name', evidence };
  }
  const changes = await changesSince(db, name);
  const visible = await modelsById(db, [...new Set(changes.map(({ toId }) => toId))], view);
  const evidence = changes
    // The reason of a split names entries, among which there may be hidden ones.
    .filter(({ kind, toId }) => !view.withheld || (kind !== 'split' && visible.has(toId)))
    .map(changeInWords);
  return { kind: 'alias', rule: 'former-id', evidence };
}

/** The same without sentences that tell a name which Artificial Analysis alone uses. */
export async function withoutHiddenNames<Usage extends { modelId: string; match: Match }>(
  db: Transaction<Tables>,
  sources: SourceDefinition[],
  usages: Usage[],
): Promise<Usage[]> {
  const hidden = new Map<string, string[]>();
  for (const modelId of new Set(usages.map((usage) => usage.modelId))) {
    const records = (await itemsOfModel(db, modelId))
      .map((item) => readStored(sources, item)?.record)
      .filter((record) => record !== undefined);
    const names = (isMeasured: boolean) =>
      records
        .filter(({ type }) => (type === 'measurement') === isMeasured)
        .flatMap(({ naming, facts }) => [naming.model, naming.canonical ?? naming.model, facts.name]);
    const open = new Set(names(false));
    hidden.set(
      modelId,
      names(true).filter((name) => !open.has(name)),
    );
  }
  return usages.map((usage) => {
    const names = hidden.get(usage.modelId) ?? [];
    const evidence = usage.match.evidence.filter((text) => !names.some((name) => text.includes(name)));
    return { ...usage, match: { ...usage.match, evidence } };
  });
}

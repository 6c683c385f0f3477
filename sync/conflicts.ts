import { hash } from 'node:crypto';
import type { Conflict, ConflictField } from '../contracts/conflicts.ts';
import { PRICE_NAMES } from '../contracts/offers.ts';
import { Chooser, inOrder, trustOf, type Choice } from './choose.ts';
import { COMPARISONS, farthest, PRICE, type Comparison } from './compare.ts';
import { knownCreator, offerKey, type Group } from './identity.ts';
import { says } from './model-fields.ts';
import { bestStatement } from './offers.ts';
import { unique } from './order.ts';
import type { BareStatement } from './provenance.ts';
import type { SourceRecord } from './record.ts';
import type { ConflictRow } from './rows.ts';
import { usdFromNano } from './units.ts';

/** A disagreement as it is stored. */
export type BareConflict = Omit<Conflict, 'statements'> & { statements: BareStatement[] };

const FIELDS = Object.entries(COMPARISONS) as [keyof typeof COMPARISONS, Comparison][];

/** Where the sources of one model disagree: each source with the statement that merging would take were there no other. */
export function conflictsOf({
  id,
  creator,
  records,
}: Pick<Group, 'id' | 'creator' | 'records'>): BareConflict[] {
  const bySource = Map.groupBy(inOrder(records), ({ source }) => source);
  if (bySource.size < 2) return [];
  const ownProviders = knownCreator(creator)?.providers ?? [];
  const all = new Chooser(inOrder(records), ownProviders);
  const alone = [...bySource.values()].map((own) => new Chooser(own, ownProviders));
  const conflicts = FIELDS.map(([field, comparison]) => {
    const choices = alone
      .map((chooser): Choice<unknown> | null => chooser.choose(field))
      .filter(
        (choice) => choice !== null && says(choice.value) && !comparison.except?.includes(choice.trust),
      );
    const chosen = new Set(choices.length < 2 ? [] : all.choose(field)?.records);
    const statements = choices.flatMap((choice) =>
      choice === null
        ? []
        : [
            statementOf(
              choice,
              choice.records.some((record) => chosen.has(record)),
            ),
          ],
    );
    return conflictOf({ modelId: id, field, offer: null }, statements, comparison);
  });
  return [...conflicts, ...priceConflicts(id, records, ownProviders)].filter((conflict) => conflict !== null);
}

/** Prices of one offer that two sources state differently. */
function priceConflicts(
  modelId: string,
  records: SourceRecord[],
  ownProviders: string[],
): (BareConflict | null)[] {
  const offers = Map.groupBy(
    inOrder(records).filter(({ offer }) => offer !== null),
    (record) => offerKey(record) ?? '',
  );
  return [...offers.values()].flatMap((stated) => {
    const best = bestStatement(stated);
    if (best?.offer == null || stated.every(({ source }) => source === best.source)) return [];
    const { provider, providerModelId } = best.offer;
    return PRICE_NAMES.map((name) => {
      const statements = stated.flatMap((record) => {
        const nano = record.offer?.pricing.prices[name] ?? null;
        const choice = {
          value: usdFromNano(nano ?? 0),
          trust: trustOf(record, ownProviders),
          records: [record],
        };
        return nano === null ? [] : [statementOf(choice, record === best)];
      });
      const subject = { modelId, field: `pricing.${name}` as const, offer: { provider, providerModelId } };
      return conflictOf(subject, statements, PRICE);
    });
  });
}

function statementOf({ value, trust, records }: Choice<unknown>, chosen: boolean): BareStatement {
  const { source = '', id = '' } = records[0] ?? {};
  return { source, id, trust, value, chosen };
}

function conflictOf(
  subject: { modelId: string; field: ConflictField; offer: Conflict['offer'] },
  statements: BareStatement[],
  comparison: Comparison,
): BareConflict | null {
  const size = farthest(
    statements.map(({ value }) => value),
    comparison,
  );
  if (size === 0) return null;
  return {
    ...subject,
    size,
    sizeUnit: size === null ? null : comparison.unit,
    statements: statements.toSorted((a, b) => Number(b.chosen) - Number(a.chosen)),
  };
}

/** The disagreements about a model as rows. `open` has its records without what Artificial Analysis said; null: it said nothing. */
export function conflictRows(group: Group, open: SourceRecord[] | null): ConflictRow[] {
  const full = rowsOf(conflictsOf(group));
  if (open === null) return full;
  const seen = rowsOf(conflictsOf({ ...group, records: open }));
  const hashes = new Set(seen.map(({ hash }) => hash));
  const shared = new Set(full.filter(({ hash }) => hashes.has(hash)).map(({ hash }) => hash));
  const mark = (row: ConflictRow, view: string) => ({ ...row, view: shared.has(row.hash) ? 'both' : view });
  return [
    ...full.map((row) => mark(row, 'full')),
    ...seen.filter(({ hash }) => !shared.has(hash)).map((row) => mark(row, 'open')),
  ];
}

function rowsOf(conflicts: BareConflict[]): ConflictRow[] {
  return conflicts.map((conflict) => {
    const document = JSON.stringify(conflict);
    return {
      modelId: conflict.modelId,
      field: conflict.field,
      provider: conflict.offer?.provider ?? '',
      providerModelId: conflict.offer?.providerModelId ?? '',
      view: 'both',
      size: conflict.size,
      sources: `,${unique(conflict.statements.map(({ source }) => source)).join(',')},`,
      hash: hash('sha1', document),
      document,
    };
  });
}

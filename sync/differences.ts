import type { ChangeKind } from '../contracts/changes.ts';
import type { Benchmark } from '../contracts/models.ts';
import type { Offer } from '../contracts/offers.ts';
import { isSpeed, type MergedModel } from './merge.ts';

/** One field that is published otherwise than before. */
export interface Difference {
  kind: ChangeKind;
  field: string;
  oldValue: unknown;
  newValue: unknown;
}

/** Fields whose parts are told one by one. */
const IN_PARTS = new Set(['limits', 'pricing', 'modalities', 'reasoning']);

const KINDS: Record<string, ChangeKind> = {
  limits: 'limit',
  pricing: 'price',
  capabilities: 'capability',
  modalities: 'capability',
  reasoning: 'capability',
  lifecycle: 'lifecycle',
  benchmarks: 'benchmark',
};

/** Not told: what has rows of its own, follows from other fields, or moves daily. */
const LEFT_OUT = new Set(['id', 'popularity', 'providers', 'attributions']);

/** What an absent, empty and unknown value have in common. */
const said = (value: unknown): unknown => (value === undefined ? null : value);

const text = (value: unknown): string =>
  JSON.stringify(said(value), (_name, part: unknown) => (part === null ? undefined : part)) ?? 'null';

const same = (one: unknown, other: unknown): boolean => text(one) === text(other);

type Fields = Record<string, unknown>;

function parts(field: string, before: unknown, after: unknown): Difference[] {
  const [old, next] = [(before ?? {}) as Fields, (after ?? {}) as Fields];
  const names = new Set([...Object.keys(old), ...Object.keys(next)]);
  return [...names].flatMap((name) =>
    same(old[name], next[name])
      ? []
      : [
          {
            kind: KINDS[field] ?? 'details',
            field: `${field}.${name}`,
            oldValue: said(old[name]),
            newValue: said(next[name]),
          },
        ],
  );
}

/** Who says so is told with every change, and is none itself. */
const compared = (field: string, value: unknown): unknown =>
  field === 'lifecycle' && value !== undefined ? { ...(value as Fields), source: null } : value;

/** The fields of two documents that differ. */
function differences(before: Fields, after: Fields): Difference[] {
  const names = new Set([...Object.keys(before), ...Object.keys(after)]);
  return [...names].flatMap((field) => {
    const [old, next] = [before[field], after[field]];
    if (LEFT_OUT.has(field) || same(compared(field, old), compared(field, next))) return [];
    if (IN_PARTS.has(field)) return parts(field, old, next);
    return [{ kind: KINDS[field] ?? 'details', field, oldValue: said(old), newValue: said(next) }];
  });
}

/** Names are told apart by what was measured and how; what it measured may change. */
const benchmarkName = ({ name, variant, effort, source }: Benchmark) =>
  [name, variant ?? '', effort ?? '', source].join('\n');

function benchmarkDifferences(before: Benchmark[], after: Benchmark[]): Difference[] {
  const [old, next] = [before, after].map((rows) =>
    Map.groupBy(
      rows.filter((row) => !isSpeed(row)),
      benchmarkName,
    ),
  ) as [Map<string, Benchmark[]>, Map<string, Benchmark[]>];
  return [...new Set([...old.keys(), ...next.keys()])].flatMap((name) => {
    const [was, is] = [old.get(name) ?? [], next.get(name) ?? []];
    if (same(was, is)) return [];
    const field = `benchmarks.${(is[0] ?? was[0])?.name}`;
    const one = (rows: Benchmark[]) => (rows.length > 1 ? rows : (rows[0] ?? null));
    return [{ kind: 'benchmark' as const, field, oldValue: one(was), newValue: one(is) }];
  });
}

function capabilityDifferences(before: string[], after: string[]): Difference[] {
  return [...new Set([...before, ...after])].flatMap((name) =>
    before.includes(name) === after.includes(name)
      ? []
      : [
          {
            kind: 'capability' as const,
            field: `capabilities.${name}`,
            oldValue: before.includes(name),
            newValue: after.includes(name),
          },
        ],
  );
}

/** What of a model is published otherwise than before. */
export function modelDifferences(before: MergedModel, after: MergedModel): Difference[] {
  const { benchmarks: oldBenchmarks, capabilities: oldCapabilities, ...old } = before;
  const { benchmarks, capabilities, ...next } = after;
  return [
    ...differences(old, next),
    ...capabilityDifferences(oldCapabilities, capabilities),
    ...benchmarkDifferences(oldBenchmarks, benchmarks),
  ];
}

/** What of an offer is published otherwise than before. */
export function offerDifferences(before: Offer, after: Offer): Difference[] {
  return differences(before, after);
}

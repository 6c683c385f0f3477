import { Chooser, inOrder } from './choose.ts';
import type { Difference } from './differences.ts';
import { knownCreator, type Group } from './identity.ts';
import type { MergedModel } from './merge.ts';
import { isModelField } from './model-fields.ts';
import { bestStatement } from './offers.ts';
import type { SourceRecord } from './record.ts';

/** The first source of a document. */
export const firstSource = ({ sources }: { sources: { id: string }[] }): string | null =>
  sources[0]?.id ?? null;

/** The source that ceased to know a model, or else the first that knows it: who is taken to be behind what nobody states any more. */
export function behindSilence(before: MergedModel | null, after: MergedModel): string | null {
  const still = new Set(after.sources.map(({ id }) => id));
  const gone = before?.sources.find(({ id }) => !still.has(id));
  return gone?.id ?? firstSource(after);
}

/** The source that a value names itself, as ends and benchmarks do. */
function namedIn(value: unknown): string | null {
  const one: unknown = Array.isArray(value) ? value[0] : value;
  return (one as { source?: string | null } | null)?.source ?? null;
}

/** Finds who said a field of a model as it is published from these records. */
export function whoSaid(
  group: Group | undefined,
  records: readonly SourceRecord[],
  { provider, otherwise }: { provider: string | null; otherwise: string | null },
): (difference: Difference) => string | null {
  let chooser: Chooser | undefined;
  return ({ field, oldValue, newValue }) => {
    const [start = ''] = field.split('.');
    if (start === 'benchmarks' || start === 'lifecycle')
      return namedIn(newValue) ?? namedIn(oldValue) ?? otherwise;
    if (start === 'pricing') {
      const offered = records.filter(({ offer }) => offer !== null && offer.provider === provider);
      return bestStatement(offered)?.source ?? otherwise;
    }
    if (group === undefined || !isModelField(field)) return otherwise;
    chooser ??= new Chooser(inOrder(records), knownCreator(group.creator)?.providers ?? []);
    return (chooser.choose(field)?.records ?? chooser.all(field))[0]?.source ?? otherwise;
  };
}

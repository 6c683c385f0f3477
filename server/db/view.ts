import { sql } from 'kysely';
import type { Models } from './as-of.ts';

/** What a reader may see: with `withheld`, nothing that Artificial Analysis said. */
export interface View {
  withheld: boolean;
}

/** The models that a reader may see: one that Artificial Analysis alone lists any more stays, as it was before, and counts as delisted. */
export function visible(models: Models, { withheld }: View): Models {
  if (!withheld) return models;
  return models.where(({ or, eb }) => or([eb('restricted', '=', 0), eb('open_delisted_at', 'is not', null)]));
}

/** Whether no source that a reader may hear of lists a model: 0 or 1. */
export const delistedTo = ({ withheld }: View) =>
  withheld
    ? sql<number>`case when models.restricted = 1 then 1 else models.delisted end`
    : sql<number>`models.delisted`;

/** Models of some lifecycle statuses; of what is not listed any more only that is told. Null: all that are listed. */
export function listedAs(models: Models, lifecycle: string[] | null, view: View): Models {
  const delisted = delistedTo(view);
  if (lifecycle === null) return models.where(delisted, '=', 0);
  return models.where(({ or, and, eb }) =>
    or([
      eb(delisted, '=', lifecycle.includes('delisted') ? 1 : 2),
      and([eb(delisted, '=', 0), eb('lifecycle_status', 'in', lifecycle)]),
    ]),
  );
}

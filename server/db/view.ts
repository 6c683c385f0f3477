import { sql } from 'kysely';
import type { Models } from './as-of.ts';

/** What a reader may see: with `withheld`, nothing that Artificial Analysis said. */
export interface View {
  withheld: boolean;
}

/** Whether a reader may see a model: one that Artificial Analysis alone lists any more stays, as it was before, and counts as delisted. */
export const isVisible = ({ withheld }: View) =>
  withheld
    ? sql<boolean>`(models.restricted = 0 or models.open_delisted_at is not null)`
    : sql<boolean>`1 = 1`;

/** The models that a reader may see. */
export function visible(models: Models, view: View): Models {
  return models.where(isVisible(view));
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

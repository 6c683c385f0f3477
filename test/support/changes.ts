import type { Change } from '../../contracts/changes.ts';
import type { Database } from '../../server/db/database.ts';
import { lastChangeId } from '../../server/db/changes.ts';

/** What a test says of a change: the rest has a usual value. */
export type ChangeInShort = Partial<Omit<Change, 'id' | 'catalogVersion'>> & {
  view?: 'both' | 'full' | 'open';
};

/** When the usual change was observed. */
export const OBSERVED = '2026-03-02T09:58:11.000Z';

const USUAL: Omit<Change, 'id' | 'catalogVersion'> = {
  observedAt: OBSERVED,
  kind: 'price',
  modelId: 'openai/gpt-5-mini',
  offer: { provider: 'azure', providerModelId: 'gpt-5-mini' },
  field: 'pricing.input',
  oldValue: 2.5,
  newValue: 2,
  source: 'models.dev',
};

/** Forgets every change, so that a test knows all there are. */
export async function forgetChanges({ write }: Database): Promise<void> {
  await write.deleteFrom('changes').execute();
  await write.updateTable('catalog').set({ last_change_id: 0 }).execute();
}

/** Commits a catalogue version that brings these changes, as a sync does. Answers with them as they are published. */
export async function commitChanges({ write }: Database, rows: ChangeInShort[]): Promise<Change[]> {
  return write.transaction().execute(async (db) => {
    const catalog = await db.selectFrom('catalog').selectAll().executeTakeFirst();
    const version = (catalog?.version ?? 0) + 1;
    const committed_at = new Date().toISOString();
    if (catalog === undefined)
      await db
        .insertInto('catalog')
        .values({ id: 1, version, committed_at, format: 0, history_from: committed_at })
        .execute();
    else await db.updateTable('catalog').set({ version, committed_at }).execute();
    const last = await lastChangeId(db);
    await db
      .updateTable('catalog')
      .set({ last_change_id: last + rows.length })
      .execute();
    const changes = rows.map(({ view = 'both', ...row }, index) => ({
      view,
      change: { ...USUAL, ...row, id: last + 1 + index, catalogVersion: version },
    }));
    const json = (value: unknown) => (value === null ? null : JSON.stringify(value));
    if (changes.length > 0)
      await db
        .insertInto('changes')
        .values(
          changes.map(({ view, change }) => ({
            id: change.id,
            version,
            observed_at: change.observedAt,
            kind: change.kind,
            model_id: change.modelId,
            provider: change.offer?.provider ?? '',
            provider_model_id: change.offer?.providerModelId ?? '',
            field: change.field ?? '',
            old_value: json(change.oldValue),
            new_value: json(change.newValue),
            source: change.source,
            view,
          })),
        )
        .execute();
    return changes.map(({ change }) => change);
  });
}

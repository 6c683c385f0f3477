import { describe, expect, test } from 'vitest';
import type { Change } from '../../contracts/changes.ts';
import type { Model } from '../../contracts/models.ts';
import type { Offer } from '../../contracts/offers.ts';
import { modelDifferences, offerDifferences } from '../../sync/differences.ts';
import type { MergedModel } from '../../sync/merge.ts';
import { DATABASES } from '../support/databases.ts';
import { changesOf } from '../support/edits.ts';
import { lasting, readPublished, type PublishedCatalog } from '../support/published.ts';
import { identityMoves, randomEditor, randomOf } from '../support/random-edits.ts';
import { fail, startServed } from '../support/synced.ts';

const SYNCS = 12;

/** As JSON text, whatever the order of its keys. */
const text = (value: unknown): string =>
  JSON.stringify(value ?? null, (_name, part: unknown) =>
    part !== null && typeof part === 'object' && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).toSorted(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );

const line = (kind: string, id: string, field: string, values: unknown[] = []) =>
  [kind, id, field, ...values.map(text)].join(' | ');

const merged = ({ firstSeenAt: _first, updatedAt: _updated, since: _since, ...model }: Model): MergedModel =>
  model;

/** Listed offers by provider and id there, each with its model. */
function offersIn({ listed, details }: PublishedCatalog): Map<string, { modelId: string; offer: Offer }> {
  return new Map(
    [...listed.keys()].flatMap((modelId) =>
      (details.get(modelId)?.offers ?? []).map((offer) => [
        `${offer.provider} ${offer.providerModelId}`,
        { modelId, offer },
      ]),
    ),
  );
}

/** What has to be told between two versions: ids that came and went, and every field of what stayed. */
function expectedChanges(before: PublishedCatalog, after: PublishedCatalog): string[] {
  const lines: string[] = [];
  for (const [id, model] of after.listed) {
    const old = before.listed.get(id);
    if (old === undefined) lines.push(line('came', id, ''));
    else
      for (const { kind, field, oldValue, newValue } of modelDifferences(merged(old), merged(model)))
        lines.push(line(kind, id, field, [oldValue, newValue]));
  }
  for (const id of before.listed.keys()) if (!after.listed.has(id)) lines.push(line('went', id, ''));
  const [oldOffers, offers] = [offersIn(before), offersIn(after)];
  for (const [key, { modelId, offer }] of offers) {
    const old = oldOffers.get(key);
    if (old === undefined) lines.push(line('offer_added', `${modelId} ${key}`, ''));
    else {
      if (old.modelId !== modelId)
        lines.push(line('offer_moved', `${modelId} ${key}`, 'modelId', [old.modelId, modelId]));
      for (const { kind, field, oldValue, newValue } of offerDifferences(old.offer, offer))
        lines.push(line(kind, `${modelId} ${key}`, field, [oldValue, newValue]));
    }
  }
  for (const key of oldOffers.keys()) if (!offers.has(key)) lines.push(line('offer_removed', key, ''));
  return lines.toSorted();
}

/** What was told, in the same words. Of what came under another id or again, the fields that differ are not compared. */
function toldChanges(changes: Change[], before: PublishedCatalog): string[] {
  const lines = changes.flatMap(({ kind, modelId, offer, field, oldValue, newValue }) => {
    if (offer !== null) {
      const key = `${offer.provider} ${offer.providerModelId}`;
      if (kind === 'offer_removed') return [line(kind, key, '')];
      const isNew = kind !== 'offer_added' && !offersIn(before).has(key);
      return isNew
        ? []
        : [line(kind, `${modelId} ${key}`, field ?? '', field === null ? [] : [oldValue, newValue])];
    }
    if (kind === 'model_renamed') return [line('came', modelId, ''), line('went', String(oldValue), '')];
    if (kind === 'model_merged') return [line('went', String(oldValue), '')];
    if (kind === 'model_delisted') return [line('went', modelId, '')];
    if (['model_added', 'model_relisted', 'model_split'].includes(kind)) return [line('came', modelId, '')];
    return before.listed.has(modelId) ? [line(kind, modelId, field ?? '', [oldValue, newValue])] : [];
  });
  return lines.toSorted();
}

describe.each(DATABASES)('the history on $name', ({ create }) => {
  test.each([
    { seed: 1, publish: 'on' },
    { seed: 2, publish: 'off' },
  ])(
    'every version is told as it was published, and what changed between them (seed $seed, Artificial Analysis $publish)',
    { timeout: 60_000 },
    async ({ seed, publish }) => {
      const served = await startServed(create, { environment: { ARTIFICIAL_ANALYSIS_PUBLISH: publish } });
      try {
        const { app, upstream } = served;
        const random = randomOf(seed);
        const edit = randomEditor(upstream.content, random);
        const moves = identityMoves(upstream.content);
        const log: string[] = [];
        const published = new Map<number, PublishedCatalog>();
        for (let syncs = 0; syncs < SYNCS; syncs++) {
          if (syncs > 0) {
            const edits = Array.from({ length: Math.ceil(random() * 6) }, () => edit());
            const move = moves[syncs]?.();
            if (move !== undefined) edits.push(move);
            log.push(`${syncs}: ${edits.join('; ')}`);
          }
          // Figures that move daily are published when they are due.
          if (syncs % 4 === 3)
            await app.database.write
              .updateTable('models')
              .set({ refreshed_at: '2026-01-01T00:00:00.000Z' })
              .execute();
          const heal = syncs % 5 === 4 ? fail(upstream, 500, (path) => path.startsWith('/openrouter')) : null;
          const times = syncs > 0 && random() < 0.4 ? 3 : 1;
          for (let again = 0; again < times; again++) {
            const { catalogVersion } = await app.sync(random() < 0.1 ? '?force=true' : '');
            if (catalogVersion === null) throw new Error('A sync came to nothing');
            const now = await readPublished(app, null);
            const same = published.get(catalogVersion);
            // Without a new version nothing is published otherwise.
            if (same !== undefined) expect(now, log.join('\n')).toEqual(same);
            published.set(catalogVersion, now);
          }
          heal?.();
        }

        const versions = [...published.keys()];
        expect(versions.length, log.join('\n')).toBeGreaterThan(SYNCS / 2);
        for (const [version, then] of published) {
          const context = `version ${version} of\n${log.join('\n')}`;
          const told = await readPublished(app, version);
          expect(lasting(told), context).toEqual(lasting(then));
          for (const [id, { updatedAt, popularity }] of told.listed) {
            expect(updatedAt <= (then.listed.get(id)?.updatedAt ?? ''), context).toBe(true);
            expect(Object.values(popularity), context).toEqual([null, null, null]);
          }
        }
        for (const [index, version] of versions.entries()) {
          const [before, after] = [published.get(versions[index - 1] ?? 0), published.get(version)];
          if (before === undefined || after === undefined) continue;
          const told = await changesOf(app, `since=${version - 1}&until=${version}`);
          expect(toldChanges(told, before), `changes of version ${version} of\n${log.join('\n')}`).toEqual(
            expectedChanges(before, after),
          );
        }
        // Whoever may not see what Artificial Analysis says is not told that it said something.
        const credited = app.database.read.selectFrom('changes').where('source', '=', 'artificialanalysis');
        const wrongly = await credited.selectAll().where('view', '!=', 'full').execute();
        expect(wrongly, log.join('\n')).toEqual([]);
        const kinds = new Set((await changesOf(app, '')).map(({ kind }) => kind));
        expect([...kinds], log.join('\n')).toEqual(
          expect.arrayContaining(['model_merged', 'model_split', 'offer_moved', 'offer_removed', 'price']),
        );
      } finally {
        await served.close();
      }
    },
  );
});

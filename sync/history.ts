import type { ChangeKind } from '../contracts/changes.ts';
import { modelDifferences, offerDifferences, type Difference } from './differences.ts';
import { readModel, readOffer } from './documents.ts';
import type { Group } from './identity.ts';
import type { Became } from './identity-changes.ts';
import { withoutArtificialAnalysis, type MergedModel } from './merge.ts';
import { byText } from './order.ts';
import type { SourceRecord } from './record.ts';
import type { ChangeRow, Contents, OfferKey } from './rows.ts';
import { behindSilence, firstSource, whoSaid } from './who-said.ts';

/** What is published now and was published before, as far as it differs. */
export interface Turn {
  before: Contents;
  models: Contents['models'];
  offers: Contents['offers'];
  delistedModels: string[];
  delistedOffers: Pick<OfferKey, 'provider' | 'providerModelId'>[];
  became: Pick<Became, 'renamed' | 'merged' | 'split'>;
  groups: Group[];
}

interface Published {
  full: MergedModel;
  /** Without what Artificial Analysis said; null: nothing is left. */
  open: MergedModel | null;
  /** Where nothing is left: what was there before. */
  lastOpen: MergedModel | null;
  isListed: boolean;
}

function published(row: Contents['models'][number]): Published {
  const full = readModel(row.document);
  const open = row.restricted === 1 ? null : row.openDocument === null ? full : readModel(row.openDocument);
  const lastOpen = row.lastOpenDocument === null ? null : readModel(row.lastOpenDocument);
  return { full, open, lastOpen, isListed: row.delisted === 0 };
}

const json = (value: unknown): string | null => (value === null ? null : JSON.stringify(value));

type Subject = Pick<ChangeRow, 'modelId' | 'provider' | 'providerModelId'>;

const aboutModel = (modelId: string): Subject => ({ modelId, provider: '', providerModelId: '' });

function event(
  kind: ChangeKind,
  subject: Subject,
  source: string | null,
  {
    field = '',
    oldValue = null,
    newValue = null,
  }: Partial<Pick<ChangeRow, 'field' | 'oldValue' | 'newValue'>> = {},
): ChangeRow {
  return { kind, ...subject, field, oldValue, newValue, source, view: 'both' };
}

function rowsOf(
  subject: Subject,
  differences: Difference[],
  sourceOf: (difference: Difference) => string | null,
): ChangeRow[] {
  return differences.map((difference) => {
    const { kind, field, oldValue, newValue } = difference;
    const values = { field, oldValue: json(oldValue), newValue: json(newValue) };
    return event(kind, subject, sourceOf(difference), values);
  });
}

/** What a reader is told beside the differences. */
interface Told {
  wasListed: boolean;
  /** Who said that it was there, and who says that it is: the same in both views where one that is in both does. */
  hadBy: string | null;
  hasBy: string | null;
  sourceOf: (difference: Difference) => string | null;
}

/** Everything that a reader of one view is told about a model. */
function modelChanges(
  id: string,
  before: MergedModel | null,
  after: MergedModel | null,
  { wasListed, hadBy, hasBy: source, sourceOf }: Told,
): ChangeRow[] {
  if (after === null) return before === null ? [] : [event('model_delisted', aboutModel(id), hadBy)];
  if (before === null) return [event('model_added', aboutModel(id), source)];
  return [
    ...(wasListed ? [] : [event('model_relisted', aboutModel(id), source)]),
    ...rowsOf(aboutModel(id), modelDifferences(before, after), sourceOf),
  ];
}

/** Rows of both views once, those of one marked so. */
function together(full: ChangeRow[], open: ChangeRow[]): ChangeRow[] {
  const texts = (rows: ChangeRow[]) => new Set(rows.map((row) => JSON.stringify(row)));
  const [fullTexts, openTexts] = [texts(full), texts(open)];
  return [
    ...full.map((row) => (openTexts.has(JSON.stringify(row)) ? row : { ...row, view: 'full' })),
    ...open.filter((row) => !fullTexts.has(JSON.stringify(row))).map((row) => ({ ...row, view: 'open' })),
  ];
}

function offerChanges(
  before: Contents['offers'][number] | undefined,
  row: Contents['offers'][number],
): ChangeRow[] {
  const { modelId, provider, providerModelId } = row;
  const subject = { modelId, provider, providerModelId };
  const after = readOffer(row.document);
  const source = firstSource(after);
  const added =
    before === undefined || before.delistedAt !== null ? [event('offer_added', subject, source)] : [];
  const moved =
    before !== undefined && before.modelId !== modelId && before.delistedAt === null
      ? [
          event('offer_moved', subject, source, {
            field: 'modelId',
            oldValue: json(before.modelId),
            newValue: json(modelId),
          }),
        ]
      : [];
  const old = before === undefined ? after : readOffer(before.document);
  return [...added, ...moved, ...rowsOf(subject, offerDifferences(old, after), () => source)];
}

/** Everything that changes in what is published, a row each, in an order that depends on nothing else. */
export function historyOf({
  before,
  models,
  offers,
  delistedModels,
  delistedOffers,
  became,
  groups,
}: Turn): ChangeRow[] {
  const stored = new Map(before.models.map((row) => [row.id, published(row)]));
  const storedOffers = new Map(before.offers.map((row) => [`${row.provider}\n${row.providerModelId}`, row]));
  const groupById = new Map(groups.map((group) => [group.id, group]));
  const formerOf = new Map(
    [...became.renamed].filter(([id]) => !became.merged.has(id)).map(([from, to]) => [to, from]),
  );
  const splitOff = new Map(became.split.map(({ fromId, toId }) => [toId, fromId]));
  const rows: ChangeRow[] = [];

  for (const row of models) {
    const after = published(row);
    const former = formerOf.get(row.id);
    const old = stored.get(row.id) ?? (former === undefined ? undefined : stored.get(former));
    const group = groupById.get(row.id);
    const records = group?.records ?? [];
    const wasListed = old?.isListed ?? true;
    const hadBy = old === undefined ? null : firstSource(old.open ?? old.full);
    const hasBy = firstSource(after.open ?? after.full);
    // What nobody states any more is ascribed alike in both views.
    const otherwise = behindSilence(old?.open ?? null, after.open ?? after.full);
    const changesIn = (view: 'full' | 'open', from: SourceRecord[]) => {
      const now = after[view];
      const isBack = view === 'open' && now !== null && old?.open === null;
      const before = (isBack ? old?.lastOpen : old?.[view]) ?? null;
      const provider = now?.pricing.provider ?? before?.pricing.provider ?? null;
      const sourceOf = whoSaid(group, from, { provider, otherwise });
      return modelChanges(row.id, before, now, { wasListed: wasListed && !isBack, hadBy, hasBy, sourceOf });
    };
    const changes = together(
      changesIn('full', records),
      changesIn('open', withoutArtificialAnalysis(records)),
    );
    const from = splitOff.get(row.id);
    rows.push(
      ...changes.map((change): ChangeRow =>
        change.kind === 'model_added' && from !== undefined
          ? { ...change, kind: 'model_split', field: 'id', oldValue: json(from), newValue: json(row.id) }
          : change,
      ),
    );
  }
  for (const [from, to] of became.renamed) {
    const kind = became.merged.has(from) ? 'model_merged' : 'model_renamed';
    const told = event(kind, aboutModel(to), null, { field: 'id', oldValue: json(from), newValue: json(to) });
    const wasOpen = stored.get(from)?.open !== null;
    rows.push(wasOpen ? told : { ...told, view: 'full' });
  }
  for (const id of delistedModels) {
    const old = stored.get(id);
    if (old === undefined) continue;
    const source = firstSource(old.open ?? old.full);
    rows.push({
      ...event('model_delisted', aboutModel(id), source),
      view: old.open === null ? 'full' : 'both',
    });
  }
  for (const row of offers)
    rows.push(...offerChanges(storedOffers.get(`${row.provider}\n${row.providerModelId}`), row));
  for (const { provider, providerModelId } of delistedOffers) {
    const old = storedOffers.get(`${provider}\n${providerModelId}`);
    if (old === undefined) continue;
    const subject = { modelId: became.renamed.get(old.modelId) ?? old.modelId, provider, providerModelId };
    rows.push(event('offer_removed', subject, firstSource(readOffer(old.document))));
  }
  return rows.toSorted(
    (a, b) =>
      byText(a.modelId, b.modelId) ||
      byText(a.provider, b.provider) ||
      byText(a.providerModelId, b.providerModelId) ||
      byText(a.kind, b.kind) ||
      byText(a.field, b.field) ||
      byText(a.view, b.view),
  );
}

import type { Offer } from '../contracts/offers.ts';
import {
  STATED_FIELDS,
  Trust,
  type FieldProvenance,
  type Statement,
  type StatedField,
} from '../contracts/provenance.ts';
import { isArtificialAnalysis } from './attribution.ts';
import { Chooser, inOrder, trustOf } from './choose.ts';
import { knownCreator, UNKNOWN_CREATOR } from './identity.ts';
import { withoutArtificialAnalysis } from './merge.ts';
import { isModelField, MODEL_FIELDS, says, type ModelField, type OfferField } from './model-fields.ts';
import { mergeOffers, publishedPricing, referenceOffer } from './offers.ts';
import { byText } from './order.ts';
import { precedenceOf } from './precedence.ts';
import { rawValues } from './raw.ts';
import type { SourceRecord } from './record.ts';
import type { SourceDefinition } from './source.ts';
import type { Item } from './item.ts';

/** A record, the item that it was read from, and when that was last seen to change. */
export interface StoredRecord {
  record: SourceRecord;
  item: Item;
  source: SourceDefinition;
  observedAt: string;
}

/** What a reader may not see: with `withheld`, anything that Artificial Analysis said. */
interface View {
  withheld: boolean;
}

/** Reads a stored item anew, with its source's own parser; null: it can no longer be read, or its source is no more. */
export function readStored(
  sources: readonly SourceDefinition[],
  stored: { source: string; id: string; raw: string; observedAt: string },
): StoredRecord | null {
  const source = sources.find(({ id }) => id === stored.source);
  if (source === undefined) return null;
  const item = { id: stored.id, value: JSON.parse(stored.raw) as unknown };
  try {
    return { record: source.parse(item), item, source, observedAt: stored.observedAt };
  } catch {
    return null;
  }
}

/** A statement without what only the stored item tells. */
export type BareStatement = Omit<Statement, 'attribution' | 'raw' | 'observedAt'>;

/** A statement with what the stored item tells of it. A list of scores that is not all to be seen is not shown raw. */
export function inFull(
  { source, id, trust, value, chosen }: BareStatement,
  stored: StoredRecord,
  field: StatedField,
  { withheld }: View,
): Statement {
  const { record, item, observedAt } = stored;
  const { attribution, raw } = stored.source;
  const hidden = withheld && field === 'benchmarks' && record.facts.benchmarks.some(isArtificialAnalysis);
  const places = hidden ? undefined : raw[record.type];
  const read = places === undefined ? [] : rawValues(places, item.value, field);
  return { source, id, trust, attribution, value, raw: read, observedAt, chosen };
}

/** Who says what about every field of a model that any of its records states, in the order in which fields are published. */
export function provenanceOf(
  creator: string,
  stored: readonly StoredRecord[],
  view: View,
): FieldProvenance[] {
  const storedOf = new Map<SourceRecord, StoredRecord>();
  for (const one of stored) {
    for (const record of view.withheld ? withoutArtificialAnalysis([one.record]) : [one.record])
      storedOf.set(record, one);
  }
  const ownProviders = knownCreator(creator)?.providers ?? [];
  const records = inOrder([...storedOf.keys()]);
  const chooser = new Chooser(records, ownProviders);
  const reference = referenceOffer(mergeOffers(records, PRICES_ALONE), ownProviders)?.offer;

  return STATED_FIELDS.flatMap((field): FieldProvenance[] => {
    const said = isModelField(field)
      ? saidOfModel(field, records, chooser)
      : saidOfOffer(field, records, reference);
    const ours =
      field === 'creatorName' && (creator === UNKNOWN_CREATOR || knownCreator(creator) !== undefined);
    const statements = said.flatMap(({ record, value, chosen }): Statement[] => {
      const one = storedOf.get(record);
      const bare = {
        source: record.source,
        id: record.id,
        trust: trustOf(record, ownProviders),
        value,
        chosen: chosen && !ours,
      };
      return one === undefined ? [] : [inFull(bare, one, field, view)];
    });
    const { because } = precedenceOf(field);
    return statements.length === 0 ? [] : [{ field, because, statements: statements.toSorted(byTrust) }];
  });
}

/** Which offer is the reference is decided by its price. */
const PRICES_ALONE = { asOf: new Map<string, string>(), today: '', successorOf: () => null };

interface Said {
  record: SourceRecord;
  value: unknown;
  chosen: boolean;
}

function saidOfModel(field: ModelField, records: SourceRecord[], chooser: Chooser): Said[] {
  const all = precedenceOf(field).how === 'all';
  const chosen = new Set(all ? records : chooser.choose(field)?.records);
  return records
    .map((record) => ({ record, value: MODEL_FIELDS[field](record), chosen: chosen.has(record) }))
    .filter(({ value }) => says(value));
}

/** What is said of the offer whose prices are published. */
function saidOfOffer(field: OfferField, records: SourceRecord[], reference: Offer | undefined): Said[] {
  const name = field.slice('pricing.'.length) as keyof ReturnType<typeof publishedPricing> | 'provider';
  return records.flatMap((record): Said[] => {
    const { offer } = record;
    if (
      offer === null ||
      offer.provider !== reference?.provider ||
      offer.providerModelId !== reference.providerModelId
    )
      return [];
    const value = name === 'provider' ? offer.provider : publishedPricing(offer.pricing)[name];
    return says(value) ? [{ record, value, chosen: record.source === reference.sources[0]?.id }] : [];
  });
}

/** The chosen first, then by class of trust. */
function byTrust(a: Statement, b: Statement): number {
  const rank = ({ trust }: Statement) => Trust.options.indexOf(trust);
  return (
    Number(b.chosen) - Number(a.chosen) ||
    rank(a) - rank(b) ||
    byText(a.source, b.source) ||
    byText(a.id, b.id)
  );
}

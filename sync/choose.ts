import type { Trust } from '../contracts/provenance.ts';
import { MODEL_FIELDS, says, type ModelField, type ModelFieldValue } from './model-fields.ts';
import { byText } from './order.ts';
import { PRECEDENCE, precedenceOf } from './precedence.ts';
import type { ModelFacts, SourceRecord } from './record.ts';

/** A value, and the records that it was taken from. */
export interface Choice<Value> {
  value: Value;
  trust: Trust;
  /** More than one where several of the same class state the same. */
  records: SourceRecord[];
}

/** Which class of trust a record is in, for a model whose creator serves it through these providers. */
export function trustOf(record: SourceRecord, ownProviders: readonly string[]): Trust {
  if (record.type !== 'offer') return record.type;
  if (record.naming.provider !== null && ownProviders.includes(record.naming.provider)) return 'own';
  return record.source === 'openrouter' ? 'openrouter' : 'host';
}

/** Records in the order in which the first of equals is found. */
export function inOrder(records: readonly SourceRecord[]): SourceRecord[] {
  return records.toSorted((a, b) => byText(a.source, b.source) || byText(a.id, b.id));
}

/** Facts of which all parts are taken from one record. */
type Whole = 'reasoning' | 'lifecycle' | 'popularity';

/** Chooses, field by field, what to believe of the records of one model, as the table of precedence has it. */
export class Chooser {
  readonly #byTrust: Map<Trust, SourceRecord[]>;
  #limits: Choice<ModelFacts['limits']> | null | undefined;

  /** `records` are in order. */
  constructor(records: readonly SourceRecord[], ownProviders: readonly string[]) {
    this.#byTrust = Map.groupBy(records, (record) => trustOf(record, ownProviders));
  }

  /** What is believed about a field of which one value is published. */
  choose<Field extends ModelField>(field: Field): Choice<ModelFieldValue<Field>> | null;
  choose(field: ModelField): Choice<unknown> | null {
    const read: (record: SourceRecord) => unknown = MODEL_FIELDS[field];
    const [start] = field.split('.');
    if (start === 'limits') return this.#limit(field as `limits.${keyof ModelFacts['limits']}`);
    const { how, order } = precedenceOf(field);
    if (how !== 'whole') return this.#first(order, read);
    const choice = this.whole(start as Whole);
    const value = choice?.records[0] && read(choice.records[0]);
    return choice && value !== null && value !== undefined ? { ...choice, value } : null;
  }

  /** What is believed of facts that are taken from one record. */
  whole<Name extends Whole>(name: Name): Choice<NonNullable<ModelFacts[Name]>> | null {
    return this.#first(PRECEDENCE[name].order, ({ facts }) => facts[name]);
  }

  /** Every record that says something about a field that is put together, in the order of trust. */
  all(field: ModelField): SourceRecord[] {
    return precedenceOf(field)
      .order.flatMap((trust) => this.#byTrust.get(trust) ?? [])
      .filter((record) => says(MODEL_FIELDS[field](record)));
  }

  /** Limits of one record, whole; what it leaves open is filled in from official ones that state the same context. */
  #limit(field: 'limits.context' | 'limits.input' | 'limits.output'): Choice<number> | null {
    if (this.#limits === undefined) {
      this.#limits = this.#first(PRECEDENCE.limits.order, ({ facts: { limits } }) =>
        limits.context === null ? null : limits,
      );
    }
    const stated = this.#limits;
    const name = field.slice('limits.'.length) as keyof ModelFacts['limits'];
    const value = stated?.value[name] ?? null;
    if (stated !== null && value !== null) return { ...stated, value };
    if (field === 'limits.context') return null;
    return this.#first(PRECEDENCE[field].order, ({ facts: { limits } }) => {
      const fits =
        stated === null ||
        (limits.context === stated.value.context && (limits[name] ?? 0) <= (stated.value.context ?? 0));
      return fits ? limits[name] : null;
    });
  }

  /** The value of the most trusted class that has one; within a class the most frequent, then the first in order. */
  #first<Value>(
    order: readonly Trust[],
    read: (record: SourceRecord) => Value | null | undefined,
  ): Choice<NonNullable<Value>> | null {
    for (const trust of order) {
      const records = this.#byTrust.get(trust);
      if (records === undefined) continue;
      const candidates = new Map<string, Choice<NonNullable<Value>>>();
      for (const record of records) {
        const value = read(record);
        if (value === null || value === undefined) continue;
        const key =
          records.length === 1 ? '' : typeof value === 'object' ? JSON.stringify(value) : String(value);
        const seen = candidates.get(key);
        if (seen === undefined) candidates.set(key, { value, trust, records: [record] });
        else seen.records.push(record);
      }
      let best: Choice<NonNullable<Value>> | undefined;
      for (const candidate of candidates.values()) {
        if (best === undefined || candidate.records.length > best.records.length) best = candidate;
      }
      if (best !== undefined) return best;
    }
    return null;
  }
}

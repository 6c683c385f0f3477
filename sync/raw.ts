import type { RawValue, StatedField } from '../contracts/provenance.ts';
import { JsonObject } from './fields.ts';
import { says } from './model-fields.ts';

/** Where a value stands in an item: a path of names parted by dots. */
export interface RawPlace {
  path: string;
  /** Read where nothing stands at `path`. */
  or?: string;
  unit?: string;
  /** Of a list of texts those that the value is read from; of one text, whether it is. */
  only?: RegExp;
}

/** Where the values of one type of record stand. */
export interface RawPlaces {
  /** The part of the item that is the source's own entry; null: all of it. */
  inside: string | null;
  fields: Partial<Record<StatedField, string | RawPlace | RawPlace[]>>;
}

/** What a field was read from, as the source gave it. Where nothing stands there is nothing. */
export function rawValues({ inside, fields }: RawPlaces, item: unknown, field: StatedField): RawValue[] {
  const entry = inside === null ? item : valueAt(item, inside);
  const places = fields[field] ?? [];
  return (Array.isArray(places) ? places : [places])
    .map((place) => (typeof place === 'string' ? { path: place } : place))
    .flatMap((place) => rawValue(place, entry));
}

function rawValue({ path, or, unit, only }: RawPlace, entry: unknown): RawValue[] {
  const at = or !== undefined && !says(valueAt(entry, path)) ? or : path;
  const found = valueAt(entry, at);
  const fits = (text: unknown) => only === undefined || (typeof text === 'string' && only.test(text));
  const value = Array.isArray(found) ? found.filter(fits) : fits(found) ? found : null;
  return says(value) ? [{ path: at, value, unit: unit ?? null }] : [];
}

function valueAt(value: unknown, path: string): unknown {
  return path.split('.').reduce<unknown>((inner, name) => {
    const object = JsonObject.safeParse(inner).data;
    return object !== undefined && Object.hasOwn(object, name) ? object[name] : undefined;
  }, value);
}

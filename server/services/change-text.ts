import type { Change } from '../../contracts/changes.ts';
import { PRICE_NAMES } from '../../contracts/offers.ts';

const MAX_VALUE_LENGTH = 100;

const PER: Record<string, string> = { perImage: 'image', perRequest: 'request', perSearch: 'search' };
const NAMES = new Set<string>(PRICE_NAMES);

/** A value in a title: plain where it is plain, its main part where it has several, shortened where it is long. */
function valueText(value: unknown): string {
  if (value === null || value === undefined) return 'unknown';
  if (typeof value === 'boolean') return value ? 'yes' : 'no';
  if (typeof value === 'object' && 'status' in value) return partsText(value, ['status', 'date']);
  if (typeof value === 'object' && 'value' in value) return partsText(value, ['value']);
  let text = typeof value === 'string' ? value : JSON.stringify(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== 'object'))
    text = value.join(', ') || 'none';
  return text.length > MAX_VALUE_LENGTH ? `${text.slice(0, MAX_VALUE_LENGTH)}…` : text;
}

function partsText(value: object, names: string[]): string {
  const parts = names.map((name) => (value as Record<string, unknown>)[name]);
  return parts
    .filter((part) => part !== null && part !== undefined)
    .map(valueText)
    .join(' ');
}

/** `pricing.cacheRead` as `cache read`. */
const words = (name: string): string => name.replaceAll(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

/** What is said of a field, and the unit of its values. */
function fieldText(path: string): { label: string; unit: string } {
  const parts = path.split('.');
  const name = parts.at(-1) ?? '';
  const isPrice = parts.includes('pricing') && NAMES.has(name);
  if (!isPrice) return { label: parts.map(words).join(' '), unit: '' };
  const each = PER[name];
  if (each !== undefined) return { label: `price per ${each}`, unit: ` USD per ${each}` };
  return { label: `${words(name)} price`, unit: ' USD per 1M tokens' };
}

function valuesText({ field, oldValue, newValue }: Change): string {
  const { label, unit } = fieldText(field ?? 'details');
  const isNumber = typeof oldValue === 'number' || typeof newValue === 'number';
  return `${label} ${valueText(oldValue)} -> ${valueText(newValue)}${isNumber ? unit : ''}`;
}

/** One change in a line, for people. */
export function changeTitle(change: Change): string {
  const { kind, modelId, offer, oldValue } = change;
  switch (kind) {
    case 'model_added':
      return `${modelId} added`;
    case 'model_delisted':
      return `${modelId} delisted`;
    case 'model_relisted':
      return `${modelId} listed again`;
    case 'model_renamed':
      return `${valueText(oldValue)} renamed to ${modelId}`;
    case 'model_merged':
      return `${valueText(oldValue)} merged into ${modelId}`;
    case 'model_split':
      return `${modelId} split off from ${valueText(oldValue)}`;
    case 'offer_added':
      return `${modelId} offered by ${offer?.provider} as ${offer?.providerModelId}`;
    case 'offer_removed':
      return `${modelId} no longer offered by ${offer?.provider} as ${offer?.providerModelId}`;
    case 'offer_moved':
      return `${offer?.providerModelId} at ${offer?.provider} moved from ${valueText(oldValue)} to ${modelId}`;
    default:
      return `${modelId}${offer === null ? '' : ` at ${offer.provider}`}: ${valuesText(change)}`;
  }
}

/** One change in full, a line a fact, for people. */
export function changeText(change: Change): string {
  const { offer, field, oldValue, newValue, source, catalogVersion, observedAt } = change;
  const facts: [string, string | null][] = [
    ['Offer', offer && `${offer.providerModelId} at ${offer.provider}`],
    ['Field', field],
    ['Was', oldValue === null ? null : JSON.stringify(oldValue)],
    ['Is', newValue === null ? null : JSON.stringify(newValue)],
    ['Source', source],
    ['Observed', observedAt],
    ['Catalogue version', String(catalogVersion)],
  ];
  return facts.flatMap(([name, value]) => (value === null ? [] : [`${name}: ${value}`])).join('\n');
}

import type { SourceRecord } from './record.ts';

/** Ids, without what follows a colon, under which providers sell a choice among models. */
const ROUTERS = new Set([
  'auto',
  'auto-model',
  'auto-model-basic',
  'auto-model-premium',
  'auto-model-standard',
  'kilo-auto/balanced',
  'kilo-auto/free',
  'kilo-auto/frontier',
  'kilo-auto/small',
  'model-router',
  'nanogpt/coding-router',
  'openrouter/auto',
  'openrouter/auto-beta',
  'openrouter/bodybuilder',
  'openrouter/free',
  'openrouter/fusion',
  'openrouter/pareto-code',
  'orcarouter/auto',
  'route-llm',
  'switchpoint/router',
]);

/** Tells from an id alone whether it names a model, a rolling name or a router. */
export function kindOfId(id: string): SourceRecord['kind'] {
  const spelled = id.toLowerCase();
  if (/[:-]latest(:\w+)?$/.test(spelled) || /(^|\/)~/.test(spelled)) return 'rolling';
  return ROUTERS.has(spelled.replace(/:.*$/, '')) ? 'router' : 'model';
}

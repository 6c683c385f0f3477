import type { Change } from '../../contracts/changes.ts';
import type { SourceOutcome, SyncRun } from '../../contracts/sync.ts';
import type { TestApp } from './app.ts';
import type { UpstreamContent } from './upstream.ts';

/** What models.dev has of one model at one provider. */
export type Entry = Record<string, unknown>;

/** The entries of a provider of models.dev by their ids, to be changed in place. */
export function entriesOf({ modelsDevApi }: UpstreamContent, provider: string): Record<string, Entry> {
  const found = (modelsDevApi as Record<string, { models: Record<string, Entry> }>)[provider];
  if (found === undefined) throw new Error(`models.dev has no provider ${provider}`);
  return found.models;
}

/** Takes an entry of models.dev away. Answers with it, so that it can come back. */
export function takeAway(content: UpstreamContent, provider: string, id: string): Entry {
  const entries = entriesOf(content, provider);
  const entry = entries[id];
  if (entry === undefined) throw new Error(`models.dev has no ${id} at ${provider}`);
  delete entries[id];
  return entry;
}

/** The outcome of a source in a run. */
export function outcomeOf({ sources }: SyncRun, source: string): SourceOutcome {
  const outcome = sources.find((one) => one.source === source);
  if (outcome === undefined) throw new Error(`${source} has no outcome in the run`);
  return outcome;
}

/** Every change that a query finds, oldest first. */
export async function changesOf(app: TestApp, query: string): Promise<Change[]> {
  const found: Change[] = [];
  let cursor: string | null = '';
  while (cursor !== null) {
    const page: { data: Change[]; meta: { nextCursor: string | null } } = await app.json(
      `/v1/changes?sort=observedAt&limit=100&${query}${cursor && `&cursor=${cursor}`}`,
    );
    found.push(...page.data);
    cursor = page.meta.nextCursor;
  }
  return found;
}

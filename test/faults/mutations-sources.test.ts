import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { buildCatalog } from '../../sync/catalog.ts';
import { groupRecords, unnameable } from '../../sync/identity.ts';
import { RejectedItem } from '../../sync/item.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { checkItem, sampleOf } from '../../sync/strict-item.ts';
import { checkCatalog } from '../support/invariants.ts';
import { MUTATED_SOURCES, type MutatedSource } from '../support/mutated-sources.ts';
import { mutated, MUTATIONS } from '../support/mutations.ts';
import { serve } from '../sync/sources/served.ts';

const BATCH = 40;

/** What a source makes of an upstream that holds these payloads. Throws what neither rejects an item nor fails the source. */
async function read({ source, base, answers }: MutatedSource, payloads: unknown[]): Promise<SourceRecord[]> {
  const bodies = Object.entries(answers(payloads)).map(([path, body]) => {
    return [`/${path}`, { body: JSON.parse(JSON.stringify(body)) as unknown }] as const;
  });
  const options = { baseUrl: `https://upstream.test/${base}`, apiKey: 'key' };
  const { upstream } = serve(source, Object.fromEntries(bodies), options);
  const fetched = await source.fetch(upstream);
  if (fetched.notModified) throw new Error('nothing was fetched');
  const items = new Set<string>();
  const records: SourceRecord[] = [];
  for (const { id, value } of fetched.items) {
    if (items.has(id)) throw new Error(`two items are called ${id}`);
    items.add(id);
    try {
      checkItem(value);
      const record = source.parse({ id, value });
      const nameless = unnameable(record);
      if (nameless !== null) throw new RejectedItem(nameless);
      // What is stored is the item, read anew whenever it is needed.
      const again = source.parse({ id, value: JSON.parse(JSON.stringify(value)) as unknown });
      if (JSON.stringify(again) !== JSON.stringify(record))
        throw new Error(`${id} is read differently again`);
      records.push(record);
    } catch (error) {
      if (!(error instanceof RejectedItem)) throw error;
      if (!sampleOf(id, value).isWellFormed()) throw new Error('a sample is no text', { cause: error });
    }
  }
  return records;
}

const STATES = [...new Set(MUTATED_SOURCES.map(({ source }) => source.id))].map((id) => ({ id, asOf: null }));

/** What is published of records, in whichever order they come. */
async function published(records: SourceRecord[]): Promise<string> {
  const catalog = await buildCatalog(groupRecords(records), STATES, '2026-07-02');
  checkCatalog(catalog);
  return JSON.stringify(catalog);
}

describe.each(MUTATED_SOURCES)('$name', (subject) => {
  const { name, payloads } = subject;
  const row = (id: string, what: string) => `${id}m-${name} ${MUTATIONS.toLocaleString('en')} ${what}`;

  test(
    row('U20', 'mutated payloads: each read or rejected, published as the contracts have it'),
    { timeout: 600_000 },
    async () => {
      const reads = await Promise.all(
        MUTATED_SOURCES.map((other) => read(other, other.payloads.slice(0, 12))),
      );
      const sound = reads.flat();
      let count = 0;
      await fc.assert(
        fc.asyncProperty(mutated(payloads, BATCH), async (batch) => {
          const records = await read(subject, batch);
          count += records.length;
          const taken = new Set(records.map(({ source, id }) => `${source} ${id}`));
          const all = [...records, ...sound.filter(({ source, id }) => !taken.has(`${source} ${id}`))];
          const once = await published(all);
          if (once !== (await published(all.toReversed())))
            throw new Error('the order of the records matters');
        }),
        { numRuns: Math.ceil(MUTATIONS / BATCH) },
      );
      // Were all of them rejected, nothing would have been shown.
      expect(count).toBeGreaterThan(MUTATIONS / 3);
      expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
    },
  );
});

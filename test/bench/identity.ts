import { groupRecords } from '../../sync/identity.ts';
import type { SourceRecord } from '../../sync/record.ts';
import { allJudgements, entryOf, recordedRecords, score } from '../support/judgements.ts';
import { hasPayloads } from '../support/payloads.ts';

// Measures identity by judgements, beside matchers that go by names alone. Run by `npm run bench:identity`; with
// `-- --misses` it lists what was not found.

/** The name of an entry without what stands before it. */
const bareName = ({ naming }: SourceRecord) => naming.model.split('/').at(-1) ?? naming.model;

const folded = (record: SourceRecord) =>
  bareName(record)
    .toLowerCase()
    .replace(/:[a-z]+$/, '')
    .replace(/[^a-z0-9]+/g, '');

const SUFFIX =
  /[-_ ](?:20\d{2}-?\d{2}-?\d{2}|\d{4}|\d{6}|latest|preview|instruct|it|chat|thinking|reasoning|non-reasoning|low|medium|high|minimal|xhigh|max|fp8|bf16|turbo|free|maas|tee|v\d(?::\d)?)$/;

function stripped(record: SourceRecord): string {
  let name = bareName(record)
    .toLowerCase()
    .replace(/\(.*\)/, '')
    .trim()
    .replace(/:[a-z0-9]+$/, '');
  while (SUFFIX.test(name)) name = name.replace(SUFFIX, '');
  return name
    .split(/[^a-z0-9]+/)
    .toSorted()
    .join('');
}

const MATCHERS: [name: string, match: (records: SourceRecord[]) => Map<string, string>][] = [
  [
    'this catalogue',
    (records) =>
      new Map(
        groupRecords(records).flatMap(({ id, records: own }) =>
          own.map((record) => [entryOf(record), id] as const),
        ),
      ),
  ],
  ['equal id', (records) => new Map(records.map((record) => [entryOf(record), bareName(record)]))],
  [
    'case, punctuation, :free',
    (records) => new Map(records.map((record) => [entryOf(record), folded(record)])),
  ],
  [
    'suffixes and word order',
    (records) => new Map(records.map((record) => [entryOf(record), stripped(record)])),
  ],
];

function main(): void {
  if (!hasPayloads) {
    console.error('The recorded answers are not on this machine, so there is nothing to measure.');
    process.exitCode = 1;
    return;
  }
  const records = recordedRecords();
  console.log(`${records.length} entries of four sources, as of 2026-07-02`);
  for (const [name, match] of MATCHERS) {
    const places = match(records);
    console.log(`\n${name}: ${new Set(places.values()).size} models`);
    for (const judgements of allJudgements()) {
      const { pairs, found, negatives, merged, open, openMerged, misses } = score(judgements, (entry) =>
        places.get(entry),
      );
      const share = ((100 * found) / pairs).toFixed(1);
      console.log(
        `  ${judgements.name.padEnd(14)} ${judgements.groups.length} groups: ${found} of ${pairs} pairs found (${share} %), ` +
          `${merged} of ${negatives} negatives merged, ${openMerged} of ${open} open cases merged`,
      );
      if (name === 'this catalogue' && process.argv.includes('--misses'))
        for (const miss of misses) console.log(`    ${miss}`);
    }
  }
}

main();

import { hasPayloads } from '../support/payloads.ts';
import { compareAllPrices, type Comparison } from '../truth/price-comparison.ts';
import { FIELDS } from '../truth/price-files.ts';
import { reviewPrices, VERDICTS, type Reviewed } from '../truth/price-review.ts';
import { publishedOffers } from '../truth/published-offers.ts';
import { corruptedPrices } from '../truth/upstream-prices.ts';

// Compares the input and output prices of every offer with two price files that are made independently of our sources.
// Run by `npm run bench:prices`; ends with 1 where a disagreement is not explained, or is our own mistake.

const count = (number: number) => number.toLocaleString('en-US').padStart(6);

function share({ equal, stated }: { equal: number; stated: number }): string {
  return `${count(equal)} of ${count(stated)}  ${((100 * equal) / stated).toFixed(1).padStart(5)}%`;
}

/** Prints what comparing one file came to, with the disagreements by class. */
function printComparison(
  { file, entries, comparable, matched, fields, both, disagreements }: Comparison,
  classed: Reviewed['classed'],
): void {
  console.log(`\n${file}`);
  console.log(`  entries         ${count(entries)}, of ${count(comparable).trim()} the provider is known`);
  console.log(`  matched offers  ${count(matched)}`);
  for (const field of FIELDS) console.log(`  equal ${field.padEnd(9)} ${share(fields[field])}`);
  console.log(`  both equal      ${share(both)}`);
  console.log(`  disagreements   ${count(disagreements.length)}`);
  const own = classed.filter(({ row }) => row.startsWith(`${file} `));
  for (const verdict of VERDICTS) {
    const reviewed = own.filter((entry) => entry.verdict === verdict);
    console.log(`    ${verdict.padEnd(13)} ${count(reviewed.length)}`);
    const byReason = [...Map.groupBy(reviewed, ({ reason }) => reason)];
    for (const [reason, rows] of byReason.toSorted(([, a], [, b]) => b.length - a.length)) {
      console.log(`      ${count(rows.length)}  ${reason}`);
      if (process.argv.includes('--rows')) for (const { row } of rows) console.log(`              ${row}`);
    }
  }
}

function printList(title: string, rows: string[]): void {
  console.log(`\n${title}: ${rows.length}`);
  for (const row of rows) console.log(`  ${row}`);
}

if (hasPayloads) {
  const offers = await publishedOffers();
  const corrupted = corruptedPrices(offers);
  const comparisons = compareAllPrices(offers);
  const { classed, unclassed, unneeded } = reviewPrices(comparisons);
  const known = offers.filter(({ pricing }) => pricing.status === 'known');
  console.log(`${count(offers.length).trim()} offers, ${count(known.length).trim()} with a known price`);
  for (const comparison of comparisons) printComparison(comparison, classed);

  const ours = classed.filter(({ verdict }) => verdict === 'ours').map(({ row }) => row);
  printList(
    'Prices that are not what our source states',
    corrupted.map((one) => Object.values(one).join(' ')),
  );
  printList('Disagreements that are our mistake', ours);
  printList('Disagreements that are not explained', unclassed);
  printList('Explanations of what is no disagreement', unneeded);
  if (corrupted.length + ours.length + unclassed.length > 0) process.exitCode = 1;
} else {
  console.log('The recorded answers are not on this machine, so there is nothing to compare.');
}

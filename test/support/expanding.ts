/** A statement that the release before can not live with, and why. */
export interface Contraction {
  statement: string;
  why: string;
}

const CREATES = /^create table (?:if not exists )?[`"](\w+)[`"]/i;
/** What takes something away, or demands what older code does not give, in statements about tables that were there before. */
const CONTRACTS: [pattern: RegExp, why: string][] = [
  [/^drop table/i, 'takes a table away'],
  [/\bdrop (column|constraint)\b/i, 'takes a column or a constraint away'],
  [/^drop index/i, 'takes away an index that older queries may need'],
  [/\brename\b/i, 'gives something another name'],
  [/\balter column [`"]\w+[`"] (set data )?type\b/i, 'changes what a column holds'],
  [/\bset not null\b/i, 'demands a value that older code may leave out'],
  [
    /\badd( column)? [`"]\w+[`"] (?!.*\bdefault\b).*\bnot null\b/i,
    'adds a column that older code does not fill',
  ],
  [/^create unique index/i, 'forbids rows that older code may write'],
  [/\badd constraint\b.*\b(unique|check|foreign key)\b/i, 'forbids rows that older code may write'],
];
const ON = /(?:^alter table|^drop table(?: if exists)?| on|^drop index(?: if exists)?) [`"](\w+)[`"]/i;

/** What in migrations, oldest first, is more than an addition. `after` is the last one that no release had before it. */
export function contractions(
  migrations: { name: string; statements: string[] }[],
  after: string | null,
): Contraction[] {
  const known = new Set<string>();
  const found: Contraction[] = [];
  for (const { name, statements } of migrations) {
    const made = new Set<string>();
    for (const statement of statements) {
      const [, created] = CREATES.exec(statement.trim()) ?? [];
      if (created !== undefined) made.add(created);
      const [, table = ''] = ON.exec(statement.trim()) ?? [];
      if (after !== null && name <= after) continue;
      if (made.has(table) && !/^drop/i.test(statement.trim())) continue;
      for (const [pattern, why] of CONTRACTS)
        if (pattern.test(statement.trim())) found.push({ statement: `${name}: ${statement}`, why });
    }
    for (const table of made) known.add(table);
  }
  return found;
}

/** A cell of a section; null: unknown, or not applicable. */
export type Cell = string | number | null;

/** One table of the report on a database. */
export interface Section {
  /** Its name in JSON. */
  key: string;
  title: string;
  /** What is said where there are no rows. */
  none: string;
  rows: Record<string, Cell>[];
  /** How values of a column are shown, where not as they are. */
  show?: Record<string, (value: number) => string>;
}

/** How a database stands. */
export interface DatabaseHealth {
  sections: Section[];
  /** What somebody should look at, in a sentence each. */
  attention: string[];
}

/** From where on something is worth a look. */
export interface Bounds {
  /** What the database may grow to; null: not told. */
  storageLimitBytes: number | null;
  /** How long a query or a transaction may take. */
  longSeconds: number;
}

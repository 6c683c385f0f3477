/** One raw upstream entry. */
export interface Item {
  /** The source's own id, unique within the source; where an entry has none, its place (`#17`). */
  id: string;
  value: unknown;
}

/** An item that can not be used; the message is the reason under which it is counted, so it names no item. */
export class RejectedItem extends Error {
  override name = 'RejectedItem';
}

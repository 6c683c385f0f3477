/** What one look found: well, not well, or nothing to go by. */
export interface Finding {
  name: string;
  state: 'ok' | 'bad' | 'unknown';
  text: string;
  /** What to do about it. */
  todo?: string;
}

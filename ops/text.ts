/** Rows in columns as wide as they need, numbers to the right. */
export function table(rows: (string | number)[][]): string[] {
  const widths: number[] = [];
  for (const row of rows)
    for (const [column, cell] of row.entries())
      widths[column] = Math.max(widths[column] ?? 0, String(cell).length);
  return rows.map((row) =>
    row
      .map((cell, column) =>
        typeof cell === 'number'
          ? String(cell).padStart(widths[column] ?? 0)
          : cell.padEnd(widths[column] ?? 0),
      )
      .join('  ')
      .trimEnd(),
  );
}

/** What stands in place of a figure that nobody has measured. */
export const UNKNOWN = 'unknown';

/** A value in words, or that it is unknown. */
export function known<Value>(value: Value | null, show: (value: Value) => string): string {
  return value === null ? UNKNOWN : show(value);
}

/** A share as per cent. */
export const percent = (share: number): string => `${(share * 100).toFixed(2)} %`;

/** Bytes in the unit that suits them. */
export function bytes(count: number): string {
  const units = ['B', 'kB', 'MB', 'GB', 'TB'];
  let value = count;
  let unit = 0;
  for (; Math.abs(value) >= 1_000 && unit < units.length - 1; unit += 1) value /= 1_000;
  return `${unit === 0 ? value : value.toFixed(1)} ${units[unit]}`;
}

/** A span of time, in the two units that matter. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  if (seconds < 60) return `${(ms / 1_000).toFixed(1)} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h ${Math.floor((seconds % 3_600) / 60)} min`;
  return `${Math.floor(seconds / 86_400)} d ${Math.floor((seconds % 86_400) / 3_600)} h`;
}

/** How long ago a time was. */
export const ago = (time: string, now: number = Date.now()): string => `${span(now - Date.parse(time))} ago`;

/** A time to the minute, in UTC. */
export const minute = (time: string): string => `${time.slice(0, 16).replace('T', ' ')} UTC`;

import { existsSync } from 'node:fs';

/** The library of the Debian package `faketime`. */
const FAKETIME = ['x86_64', 'aarch64']
  .map((machine) => `/usr/lib/${machine}-linux-gnu/faketime/libfaketime.so.1`)
  .find((path) => existsSync(path));

/** The environment of a process for which it is so many days ago. */
export function daysAgo(days: number): Record<string, string> {
  if (FAKETIME === undefined) throw new Error('faketime is not installed');
  return { LD_PRELOAD: FAKETIME, FAKETIME: `-${days}d`, FAKETIME_DONT_FAKE_MONOTONIC: '1' };
}

import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Finish } from './process.ts';

/** Whether this machine lets tests mount disks of their own. */
export const MAY_MOUNT = process.getuid?.() === 0;

/** A small disk of its own. */
export interface SmallDisk {
  /** Where it is mounted; anybody may write there. */
  folder: string;
  /** Takes all the room that is left. */
  fill(): void;
  /** Gives that back. */
  free(): void;
}

/** Mounts a disk of some megabytes. */
export function mountDisk(megabytes: number, finish: Finish): SmallDisk {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-disk-'));
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${megabytes}m,mode=0777`, 'tmpfs', folder]);
  finish(() => {
    execFileSync('umount', ['--lazy', folder]);
    rmSync(folder, { recursive: true, force: true });
  });
  const filler = join(folder, 'filler');
  return {
    folder,
    fill() {
      const file = openSync(filler, 'a');
      try {
        // What is freed meanwhile is taken as well.
        for (;;) writeSync(file, Buffer.alloc(4_096));
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOSPC')) throw error;
      } finally {
        closeSync(file);
      }
    },
    free: () => rmSync(filler, { force: true }),
  };
}

import { freePort } from '../../../support/ports.ts';
import type { Finish } from '../../../support/process.ts';
import { mountDisk } from '../../../support/tmpfs.ts';
import { answers, startProgram } from './program.ts';

/** What other file systems of this machine are: they may be as full as they like. */
const OTHERS = '^(ext[234]|xfs|btrfs|zfs|overlay|9p|virtiofs|fuse.*|nfs.*|vfat|squashfs|rootfs)$';

/** Mounts a disk of eight megabytes, and starts a node exporter that looks at it. */
export async function startDisk(finish: Finish): Promise<{ exporter: string; fill: () => void }> {
  const { fill } = mountDisk(8, finish);
  const exporter = `127.0.0.1:${await freePort()}`;
  startProgram(
    'prometheus-node-exporter',
    [
      '--collector.disable-defaults',
      '--collector.filesystem',
      `--collector.filesystem.fs-types-exclude=${OTHERS}`,
      `--web.listen-address=${exporter}`,
    ],
    { finish },
  );
  await answers(`http://${exporter}/`);
  return { exporter, fill };
}

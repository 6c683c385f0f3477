import { Migration20261123160000 } from './Migration20261123160000.ts';
import { Migration20261123194244 } from './Migration20261123194244.ts';
import { Migration20261123214603 } from './Migration20261123214603.ts';
import { Migration20261123223629 } from './Migration20261123223629.ts';
import { Migration20261124091518 } from './Migration20261124091518.ts';
import { Migration20261124114636 } from './Migration20261124114636.ts';
import { Migration20261201031448 } from './Migration20261201031448.ts';

/** Every migration, oldest first. `npm run migration` adds to it. */
export const MIGRATIONS = [
  Migration20261123160000,
  Migration20261123194244,
  Migration20261123214603,
  Migration20261123223629,
  Migration20261124091518,
  Migration20261124114636,
  Migration20261201031448,
];

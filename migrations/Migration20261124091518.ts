import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261124091518 extends MikroMigration {
  override name = 'Migration20261124091518';
  override sqlite = [
    `alter table \`catalog\` add column \`last_change_id\` bigint not null default '0';`,
    `alter table \`models\` add column \`lifecycle_since\` text null;`,
    `alter table \`models\` add column \`open_delisted_at\` text null;`,
    `alter table \`models\` add column \`last_open_document\` text null;`,
    `alter table \`model_versions\` add column \`lifecycle_since\` text null;`,
    `alter table \`model_versions\` add column \`open_delisted_at\` text null;`,
    `alter table \`model_versions\` add column \`last_open_document\` text null;`,
    `alter table \`offers\` add column \`lifecycle_since\` text null;`,
    `alter table \`offer_versions\` add column \`lifecycle_since\` text null;`,
  ];
  override postgresql = [
    `alter table "catalog" add "last_change_id" bigint not null default '0';`,
    `alter table "models" add "lifecycle_since" text null, add "open_delisted_at" text null, add "last_open_document" text null;`,
    `alter table "model_versions" add "lifecycle_since" text null, add "open_delisted_at" text null, add "last_open_document" text null;`,
    `alter table "offers" add "lifecycle_since" text null;`,
    `alter table "offer_versions" add "lifecycle_since" text null;`,
  ];
}

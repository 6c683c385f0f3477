import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261123194244 extends MikroMigration {
  override name = 'Migration20261123194244';
  override sqlite = [
    `create table \`conflicts\` (\`model_id\` text not null, \`field\` text not null, \`provider\` text not null, \`provider_model_id\` text not null, \`view\` text not null, \`size\` double null, \`sources\` text not null, \`hash\` text not null, \`document\` text not null, primary key (\`model_id\`, \`field\`, \`provider\`, \`provider_model_id\`, \`view\`));`,
    `create index \`conflicts_field_index\` on \`conflicts\` (\`field\`);`,
  ];
  override postgresql = [
    `create table "conflicts" ("model_id" text not null, "field" text not null, "provider" text not null, "provider_model_id" text not null, "view" text not null, "size" double precision null, "sources" text not null, "hash" text not null, "document" text not null, primary key ("model_id", "field", "provider", "provider_model_id", "view"));`,
    `create index "conflicts_field_index" on "conflicts" ("field");`,
  ];
}

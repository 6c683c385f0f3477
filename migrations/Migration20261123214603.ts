import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261123214603 extends MikroMigration {
  override name = 'Migration20261123214603';
  override sqlite = [
    `create table \`identity_changes\` (\`from_id\` text not null, \`to_id\` text not null, \`at\` text not null, \`kind\` text not null, \`reason\` text not null, primary key (\`from_id\`, \`to_id\`, \`at\`));`,
    `create table \`model_aliases\` (\`alias\` text not null, \`namespace\` text not null, \`model_id\` text not null, \`source\` text not null, \`record_id\` text not null, primary key (\`alias\`, \`namespace\`));`,
    `create index \`model_aliases_model_id_index\` on \`model_aliases\` (\`model_id\`);`,
    `create index \`model_aliases_source_record_id_index\` on \`model_aliases\` (\`source\`, \`record_id\`);`,
    `create table \`record_keys\` (\`source\` text not null, \`record_id\` text not null, \`key\` text not null, primary key (\`source\`, \`record_id\`, \`key\`));`,
    `create index \`record_keys_key_index\` on \`record_keys\` (\`key\`);`,
    `alter table \`records\` add column \`match\` text null;`,
  ];
  override postgresql = [
    `create table "identity_changes" ("from_id" text not null, "to_id" text not null, "at" text not null, "kind" text not null, "reason" text not null, primary key ("from_id", "to_id", "at"));`,
    `create table "model_aliases" ("alias" text not null, "namespace" text not null, "model_id" text not null, "source" text not null, "record_id" text not null, primary key ("alias", "namespace"));`,
    `create index "model_aliases_model_id_index" on "model_aliases" ("model_id");`,
    `create index "model_aliases_source_record_id_index" on "model_aliases" ("source", "record_id");`,
    `create table "record_keys" ("source" text not null, "record_id" text not null, "key" text not null, primary key ("source", "record_id", "key"));`,
    `create index "record_keys_key_index" on "record_keys" ("key");`,
    `alter table "records" add "match" text null;`,
  ];
}

import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261201031448 extends MikroMigration {
  override name = 'Migration20261201031448';
  override sqlite = [
    `create table \`admin_audit\` (\`id\` text not null primary key, \`at\` text not null, \`operation\` text not null, \`result\` text not null, \`key\` text null, \`address\` text not null, \`user_agent\` text null, \`request_id\` text not null, \`input_hash\` text null);`,
    `create index \`admin_audit_at_index\` on \`admin_audit\` (\`at\`);`,
  ];
  override postgresql = [
    `create table "admin_audit" ("id" text not null, "at" text not null, "operation" text not null, "result" text not null, "key" text null, "address" text not null, "user_agent" text null, "request_id" text not null, "input_hash" text null, primary key ("id"));`,
    `create index "admin_audit_at_index" on "admin_audit" ("at");`,
  ];
}

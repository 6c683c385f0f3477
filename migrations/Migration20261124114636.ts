import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261124114636 extends MikroMigration {
  override name = 'Migration20261124114636';
  override sqlite = [
    `create table \`incidents\` (\`id\` text not null primary key, \`kind\` text not null, \`title\` text not null, \`severity\` integer null, \`status\` text not null, \`starts_at\` text not null, \`ends_at\` text null, \`updated_at\` text not null);`,
    `create index \`incidents_starts_at_index\` on \`incidents\` (\`starts_at\`);`,
    `create table \`incident_updates\` (\`incident_id\` text not null, \`number\` integer not null, \`at\` text not null, \`status\` text not null, \`message\` text not null, primary key (\`incident_id\`, \`number\`));`,
    `create table \`operations\` (\`id\` text not null primary key, \`kind\` text not null, \`started_at\` text not null, \`completed_at\` text not null, \`status\` text not null, \`message\` text not null, \`details\` text not null);`,
    `create index \`operations_kind_started_at_index\` on \`operations\` (\`kind\`, \`started_at\`);`,
    `create table \`samples\` (\`at\` text not null, \`instance\` text not null, \`version\` text not null, \`checks\` integer not null, \`ok\` integer not null, \`degraded\` integer not null, \`requests\` integer not null, \`errors\` integer not null, \`durations\` text not null, \`cache_hits\` integer not null, \`cache_misses\` integer not null, \`cache_bypassed\` integer not null, \`queries\` integer not null, \`query_ms\` bigint not null, \`slow_queries\` integer not null, \`connections\` integer null, \`connections_max\` integer null, \`database_bytes\` bigint null, primary key (\`at\`, \`instance\`));`,
  ];
  override postgresql = [
    `create table "incidents" ("id" text not null, "kind" text not null, "title" text not null, "severity" int null, "status" text not null, "starts_at" text not null, "ends_at" text null, "updated_at" text not null, primary key ("id"));`,
    `create index "incidents_starts_at_index" on "incidents" ("starts_at");`,
    `create table "incident_updates" ("incident_id" text not null, "number" int not null, "at" text not null, "status" text not null, "message" text not null, primary key ("incident_id", "number"));`,
    `create table "operations" ("id" text not null, "kind" text not null, "started_at" text not null, "completed_at" text not null, "status" text not null, "message" text not null, "details" text not null, primary key ("id"));`,
    `create index "operations_kind_started_at_index" on "operations" ("kind", "started_at");`,
    `create table "samples" ("at" text not null, "instance" text not null, "version" text not null, "checks" int not null, "ok" int not null, "degraded" int not null, "requests" int not null, "errors" int not null, "durations" text not null, "cache_hits" int not null, "cache_misses" int not null, "cache_bypassed" int not null, "queries" int not null, "query_ms" bigint not null, "slow_queries" int not null, "connections" int null, "connections_max" int null, "database_bytes" bigint null, primary key ("at", "instance"));`,
  ];
}

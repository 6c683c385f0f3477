import { MikroMigration } from './migration.ts';

/** Generated from server/db/entities.ts; not to be edited. */
export class Migration20261123160000 extends MikroMigration {
  override name = 'Migration20261123160000';
  override sqlite = [
    `create table \`aliases\` (\`alias\` text not null primary key, \`model_id\` text not null, \`source\` text not null);`,
    `create index \`aliases_model_id_index\` on \`aliases\` (\`model_id\`);`,
    `create table \`catalog\` (\`id\` integer not null primary key, \`version\` integer not null, \`committed_at\` text not null, \`format\` integer not null);`,
    `create table \`leases\` (\`name\` text not null primary key, \`owner\` text not null, \`expires_at_ms\` bigint not null);`,
    `create table \`models\` (\`id\` text not null primary key, \`creator\` text not null, \`name_key\` text not null, \`search_text\` text not null, \`release_date\` text null, \`open_release_date\` text null, \`context\` bigint null, \`input_price\` bigint null, \`output_price\` bigint null, \`downloads\` bigint null, \`delisted\` integer not null, \`target\` text null, \`target_since\` text null, \`restricted\` integer not null, \`steady_hash\` text not null, \`hash\` text not null, \`document\` text not null, \`open_document\` text null, \`first_seen_at\` text not null, \`updated_at\` text not null, \`refreshed_at\` text not null);`,
    `create index \`models_creator_index\` on \`models\` (\`creator\`);`,
    `create index \`models_name_key_index\` on \`models\` (\`name_key\`);`,
    `create table \`offers\` (\`provider\` text not null, \`provider_model_id\` text not null, \`model_id\` text not null, \`price_status\` text not null, \`input_price\` bigint null, \`output_price\` bigint null, \`cache_read_price\` bigint null, \`cache_write_price\` bigint null, \`cache_write1h_price\` bigint null, \`reasoning_price\` bigint null, \`audio_input_price\` bigint null, \`audio_output_price\` bigint null, \`audio_cache_read_price\` bigint null, \`image_input_price\` bigint null, \`image_output_price\` bigint null, \`per_image_price\` bigint null, \`per_request_price\` bigint null, \`per_search_price\` bigint null, \`hash\` text not null, \`document\` text not null, primary key (\`provider\`, \`provider_model_id\`));`,
    `create index \`offers_model_id_provider_index\` on \`offers\` (\`model_id\`, \`provider\`);`,
    `create table \`providers\` (\`id\` text not null primary key, \`hash\` text not null, \`document\` text not null);`,
    `create table \`records\` (\`source\` text not null, \`id\` text not null, \`model_id\` text not null, \`hash\` text not null, \`raw\` text not null, \`first_seen_at\` text not null, \`updated_at\` text not null, primary key (\`source\`, \`id\`));`,
    `create index \`records_model_id_index\` on \`records\` (\`model_id\`);`,
    `create table \`sync_runs\` (\`id\` text not null primary key, \`status\` text not null, \`message\` text not null, \`trigger\` text not null, \`started_at\` text not null, \`completed_at\` text null, \`total_fetched\` integer not null, \`total_stored\` integer not null, \`catalog_version\` integer null, \`sources\` text not null);`,
    `create index \`sync_runs_started_at_id_index\` on \`sync_runs\` (\`started_at\`, \`id\`);`,
    `create table \`sources\` (\`id\` text not null primary key, \`status\` text null, \`error\` text null, \`last_good_at\` text null, \`as_of\` text null, \`fetched\` integer not null, \`validators\` text not null, \`providers\` text not null);`,
  ];
  override postgresql = [
    `create table "aliases" ("alias" text not null, "model_id" text not null, "source" text not null, primary key ("alias"));`,
    `create index "aliases_model_id_index" on "aliases" ("model_id");`,
    `create table "catalog" ("id" int not null, "version" int not null, "committed_at" text not null, "format" int not null, primary key ("id"));`,
    `create table "leases" ("name" text not null, "owner" text not null, "expires_at_ms" bigint not null, primary key ("name"));`,
    `create table "models" ("id" text not null, "creator" text not null, "name_key" text not null, "search_text" text not null, "release_date" text null, "open_release_date" text null, "context" bigint null, "input_price" bigint null, "output_price" bigint null, "downloads" bigint null, "delisted" int not null, "target" text null, "target_since" text null, "restricted" int not null, "steady_hash" text not null, "hash" text not null, "document" text not null, "open_document" text null, "first_seen_at" text not null, "updated_at" text not null, "refreshed_at" text not null, primary key ("id"));`,
    `create index "models_creator_index" on "models" ("creator");`,
    `create index "models_name_key_index" on "models" ("name_key");`,
    `create table "offers" ("provider" text not null, "provider_model_id" text not null, "model_id" text not null, "price_status" text not null, "input_price" bigint null, "output_price" bigint null, "cache_read_price" bigint null, "cache_write_price" bigint null, "cache_write1h_price" bigint null, "reasoning_price" bigint null, "audio_input_price" bigint null, "audio_output_price" bigint null, "audio_cache_read_price" bigint null, "image_input_price" bigint null, "image_output_price" bigint null, "per_image_price" bigint null, "per_request_price" bigint null, "per_search_price" bigint null, "hash" text not null, "document" text not null, primary key ("provider", "provider_model_id"));`,
    `create index "offers_model_id_provider_index" on "offers" ("model_id", "provider");`,
    `create table "providers" ("id" text not null, "hash" text not null, "document" text not null, primary key ("id"));`,
    `create table "records" ("source" text not null, "id" text not null, "model_id" text not null, "hash" text not null, "raw" text not null, "first_seen_at" text not null, "updated_at" text not null, primary key ("source", "id"));`,
    `create index "records_model_id_index" on "records" ("model_id");`,
    `create table "sync_runs" ("id" text not null, "status" text not null, "message" text not null, "trigger" text not null, "started_at" text not null, "completed_at" text null, "total_fetched" int not null, "total_stored" int not null, "catalog_version" int null, "sources" text not null, primary key ("id"));`,
    `create index "sync_runs_started_at_id_index" on "sync_runs" ("started_at", "id");`,
    `create table "sources" ("id" text not null, "status" text null, "error" text null, "last_good_at" text null, "as_of" text null, "fetched" int not null, "validators" text not null, "providers" text not null, primary key ("id"));`,
  ];
}

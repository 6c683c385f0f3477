import { Gauge, type Registry } from 'prom-client';

/** One value of a gauge. */
export interface Figure {
  name: keyof typeof HELP;
  value: number;
  labels?: Record<string, string>;
}

/** Every gauge that is read when it is asked for, and what it says. */
const HELP = {
  em_health: 'Health of the service: 1 for the status that it has',
  em_ready: 'Whether requests should be sent to this instance',
  em_streams_open: 'Connections that follow the changes live',
  em_cache_up: 'Whether the store of answers can be reached; memory always can',
  em_redis_memory_bytes: 'Memory that Redis uses',
  em_redis_memory_limit_bytes: 'Memory that Redis may use',
  em_database_up: 'Whether the database can be reached',
  em_database_pool_connections: 'Connections of this process to the database, by side and state',
  em_database_pool_waiting: 'Queries that wait for a connection',
  em_database_pool_max: 'Connections that this process may open',
  em_database_server_connections: 'Connections of all clients to the database server',
  em_database_server_connections_max: 'Connections that the database server allows',
  em_database_size_bytes: 'Size of the database',
  em_database_size_limit_bytes: 'What the database may grow to',
  em_database_replication_lag_seconds: 'How far a replica is behind',
  em_sync_last_run_timestamp_seconds: 'When the last sync ended; one that a shutdown stopped is none',
  em_sync_last_run_duration_seconds: 'How long the last sync took',
  em_sync_last_run_ok: 'Whether the last sync completed with every enabled source',
  em_sync_last_run_stored: 'Whether the last sync stored what sources sent: of all of them, or of some',
  em_sync_last_stored_timestamp_seconds: 'When a sync last stored what sources sent',
  em_sync_last_completed_timestamp_seconds: 'When a sync last completed with every enabled source',
  em_sync_running: 'Whether a sync is under way',
  em_sync_running_seconds: 'How long the sync under way has been running',
  em_sync_next_timestamp_seconds: 'When the next sync is due',
  em_sync_interval_seconds: 'Time between syncs by the schedule',
  em_sync_source_up: 'Whether a source answered well in the last sync',
  em_sync_source_failure: 'Why a source failed in the last sync; 1',
  em_sync_source_items: 'Items that a source sent in the last sync',
  em_sync_source_duration_seconds: 'How long a source took in the last sync',
  em_catalog_version: 'Version of the published catalogue',
  em_catalog_committed_timestamp_seconds: 'When the published catalogue was committed',
  em_catalog_models: 'Models published',
  em_admin_secret_first_seen_timestamp_seconds: 'When a service first had this admin secret, by its variable',
  em_operation_last_completed_timestamp_seconds: 'When a backup, drill or maintenance last completed',
  em_operation_last_failed: 'Whether the last backup, drill or maintenance failed',
} as const;

/** Makes the gauges of a registry. The function that it answers with puts new values in place of all that were there. */
export function registerFigures(registry: Registry): (figures: Figure[]) => void {
  const gauges = new Map<string, Gauge>();
  return (figures) => {
    for (const name of gauges.keys()) registry.removeSingleMetric(name);
    gauges.clear();
    for (const { name, value, labels = {} } of figures) {
      let gauge = gauges.get(name);
      if (gauge === undefined) {
        gauge = new Gauge({ name, help: HELP[name], labelNames: Object.keys(labels), registers: [registry] });
        gauges.set(name, gauge);
      }
      gauge.set(labels, value);
    }
  };
}

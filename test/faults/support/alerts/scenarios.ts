import type { Fate } from './expected.ts';

/** A fault, and what fires by it. */
export interface Scenario {
  /** What goes wrong. */
  what: string;
  fires: Record<string, Fate>;
  /** What may fire as well, by how the fault and the checks happen to fall. */
  may?: string[];
}

/** Every scenario by its row; between them every alert fires. */
export const SCENARIOS: Record<string, Scenario> = {
  A1: {
    what: 'the database stops, and is back',
    fires: { DatabaseDown: 'told', HealthUnavailable: 'silenced' },
    may: ['AvailabilityBudgetFast'],
  },
  A2: {
    what: 'the database is away for long while people ask, and an instance starts',
    fires: {
      DatabaseDown: 'told',
      HealthUnavailable: 'silenced',
      AvailabilityBudgetFast: 'silenced',
      AvailabilityBudgetSlow: 'silenced',
      ErrorRateHigh: 'silenced',
      ErrorBudgetFast: 'silenced',
      ErrorBudgetSlow: 'silenced',
      InstanceNotReady: 'silenced',
    },
    // Answers that could not be made were not in the cache either.
    may: ['CacheMissRateHigh', 'HitRateBudget'],
  },
  A3: {
    what: 'a table is not where it should be: few requests fail, a sync fails, then every request fails',
    fires: {
      ErrorRateHigh: 'told',
      ErrorBudgetSlow: 'told',
      ErrorBudgetFast: 'told',
      SyncFailed: 'told',
    },
    may: ['HitRateBudget', 'CacheMissRateHigh', 'SyncSuccessLow'],
  },
  A4: {
    what: 'the way to the service cuts connections, then is slow',
    fires: {
      AvailabilityBudgetFast: 'told',
      AvailabilityBudgetSlow: 'told',
      HealthOverBaseline: 'told',
      HealthSlow: 'told',
    },
  },
  A5: {
    what: 'processes end, one after the other',
    fires: {
      InstanceDown: 'told',
      InstanceCrashLooping: 'told',
      HostUnknown: 'told',
      MetricsMissing: 'told',
      HealthUnanswered: 'told',
      HealthUnchecked: 'told',
    },
    may: ['AvailabilityBudgetFast', 'AvailabilityBudgetSlow', 'InstanceNotReady'],
  },
  A6: {
    what: 'an instance is short of CPU, of memory, and is kept from its work',
    fires: {
      InstanceCpuHigh: 'told',
      DatabaseCpuHigh: 'told',
      InstanceMemoryHigh: 'told',
      EventLoopSlow: 'told',
    },
    may: [
      'ResponsesSlow',
      'ShortListsSlow',
      'LongListsSlow',
      'InstanceDown',
      'AvailabilityBudgetFast',
      'AvailabilityBudgetSlow',
    ],
  },
  A7: {
    what: 'a table is locked again and again, then for good',
    fires: {
      SlowQueries: 'told',
      DatabaseQueriesSlow: 'told',
      ResponsesSlow: 'told',
      ShortListsSlow: 'told',
      LongListsSlow: 'told',
      LatencyBudgetFast: 'told',
      LatencyBudgetSlow: 'silenced',
      DatabasePoolWaiting: 'told',
    },
    // So many who ask at once keep the process from Redis as well, for longer than it waits.
    may: [
      'CacheWritesFailing',
      'AvailabilityBudgetFast',
      'AvailabilityBudgetSlow',
      'DatabaseDown',
      'ErrorBudgetFast',
      'ErrorBudgetSlow',
      'ErrorRateHigh',
      'HealthUnavailable',
      'HitRateBudget',
      'CacheMissRateHigh',
    ],
  },
  A8: {
    what: 'the cache fills, then stops',
    fires: {
      CacheMemoryHigh: 'told',
      CacheWritesFailing: 'told',
      HitRateBudget: 'told',
      CacheMissRateHigh: 'silenced',
      CacheDown: 'told',
      HealthDegraded: 'silenced',
    },
  },
  A9: {
    what: 'sources fail one after the other',
    fires: {
      SyncPartial: 'told',
      HealthDegraded: 'told',
      SyncSuccessLow: 'told',
      SourceDown: 'told',
      SourceKeyRefused: 'told',
      SourceQuarantined: 'told',
    },
  },
  A10: {
    what: 'every source fails',
    fires: {
      SyncSourcesAllFailed: 'told',
      SyncFailed: 'silenced',
      SyncStillFailing: 'told',
      HealthDegraded: 'silenced',
    },
    may: ['SourceDown', 'SyncSuccessLow', 'SyncPartial'],
  },
  A11: {
    what: 'the worker ends',
    fires: { SyncMissed: 'told' },
    may: ['InstanceDown'],
  },
  A12: {
    what: 'the first sync does not end',
    fires: { SyncNeverRun: 'told', SyncTooLong: 'told' },
    may: ['SyncFailed', 'SyncSourcesAllFailed', 'SyncSuccessLow', 'SourceDown'],
  },
  A13: {
    what: 'nobody backs up, restores, maintains or rotates, and backups fail; days pass',
    fires: {
      BackupNeverMade: 'told',
      DrillNeverDone: 'told',
      MaintenanceNeverDone: 'told',
      DatabaseOperationFailed: 'told',
      BackupOverdue: 'told',
      DrillOverdue: 'told',
      MaintenanceOverdue: 'told',
      AdminSecretOld: 'told',
      CatalogStale: 'told',
    },
  },
  A14: {
    what: 'the database fills, and so does a disk; its connections are taken, and its replica falls behind and ends',
    fires: {
      DiskFilling: 'told',
      DatabaseStorageHigh: 'told',
      DatabaseConnectionsHigh: 'told',
      ReplicaBehind: 'told',
      ReplicaLost: 'told',
    },
  },
  A15: {
    what: 'somebody tries admin secrets',
    fires: { AdminSecretGuessed: 'told' },
  },
};

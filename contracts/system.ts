import { z } from 'zod';
import { oneOf, Timestamp } from './common.ts';
import { operation } from './operation.ts';
import { SyncRun } from './sync.ts';

/** The service's own state. */
export const Health = z
  .object({
    status: z
      .enum(['ok', 'degraded'])
      .describe('degraded: it answers, but the cache is away or the last two syncs did not complete'),
    timestamp: Timestamp,
    version: z.string().describe('Version of the service').meta({ example: '1.0.0' }),
  })
  .meta({ id: 'Health' });
export type Health = z.infer<typeof Health>;

/** `GET /health`: for monitors. */
export const getHealth = operation({
  method: 'GET',
  path: '/health',
  summary: 'Health',
  description:
    'For monitors. 503 when the database can not be reached. It never waits for a database, a cache or a sync.',
  tags: ['System'],
  input: z.strictObject({}),
  output: Health,
});

/** `GET /health/live`: for the supervisor. */
export const getLive = operation({
  method: 'GET',
  path: '/health/live',
  summary: 'Liveness',
  description: 'For the supervisor: the process answers. Restart it when this does not.',
  tags: ['System'],
  input: z.strictObject({}),
  output: Health.meta({ id: 'Liveness' }),
});

/** `GET /health/ready`: for the load balancer. */
export const getReady = operation({
  method: 'GET',
  path: '/health/ready',
  summary: 'Readiness',
  description:
    'For the load balancer: send requests here. 503 until the database is migrated, while it is away, and during shutdown.',
  tags: ['System'],
  input: z.strictObject({}),
  output: Health.meta({ id: 'Readiness' }),
});

/** What the catalogue holds, and how fresh it is. */
export const Status = z
  .object({
    catalogVersion: z.number().int(),
    models: z.number().int().describe('Models published'),
    lastSync: SyncRun.pick({
      id: true,
      status: true,
      message: true,
      startedAt: true,
      completedAt: true,
      durationMs: true,
    })
      .nullable()
      .describe('The last finished run; null before the first'),
    runningSync: SyncRun.pick({ id: true, startedAt: true }).nullable(),
    nextSyncAt: Timestamp.nullable().describe('Null: no schedule'),
  })
  .meta({ id: 'Status' });
export type Status = z.infer<typeof Status>;

/** `GET /v1/status`: the catalogue at a glance. */
export const getStatus = operation({
  method: 'GET',
  path: '/v1/status',
  summary: 'Status',
  description: 'The catalogue at a glance: last sync, its duration, models, next sync.',
  tags: ['System'],
  input: z.strictObject({}),
  output: oneOf(Status).meta({ id: 'StatusAnswer' }),
});

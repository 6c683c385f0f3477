import { z } from 'zod';
import { oneOf, Timestamp } from './common.ts';
import { Incident } from './incidents.ts';
import { operation } from './operation.ts';
import { Source, SyncRun } from './sync.ts';
import { Status } from './system.ts';

const Share = z.number().min(0).max(1).nullable();

/** Everything that the status page shows. */
export const StatusSummary = z
  .object({
    state: z
      .enum(['ok', 'degraded', 'unavailable', 'maintenance'])
      .describe(
        'ok. degraded: it answers, but an incident is open, the cache is away, or syncs fail. unavailable: the database can not be ' +
          'reached. maintenance: planned work is under way.',
      ),
    message: z.string().describe('The same for people'),
    version: z.string().describe('Version of the service'),
    asOf: Timestamp.nullable().describe(
      'When everything below was read: it is older than the answer while the database is away. Null: it never was',
    ),
    catalogVersion: z.number().int().nullable(),
    models: z.number().int().nullable().describe('Models published'),
    lastSync: Status.shape.lastSync,
    runningSync: Status.shape.runningSync,
    nextSyncAt: Timestamp.nullable(),
    syncs: z
      .array(
        SyncRun.pick({
          id: true,
          status: true,
          startedAt: true,
          completedAt: true,
          durationMs: true,
          totalFetched: true,
          totalStored: true,
        }),
      )
      .describe('The last 24 syncs, newest first'),
    sources: z.array(
      Source.pick({ id: true, name: true, status: true, records: true, lastGoodAt: true, error: true }),
    ),
    uptime: z
      .object({
        day: Share.describe('Share of the last 24 hours in which the service was up; null: not measured'),
        week: Share,
        quarter: Share.describe('Of the last 90 days'),
        days: z
          .array(
            z.object({
              date: z.iso.date(),
              up: Share.describe('Null: not measured'),
              degraded: Share.describe('Share in which it was up, but degraded'),
              measured: z.number().min(0).max(1).describe('Share of the day in which it was measured at all'),
            }),
          )
          .describe('The last 90 days, oldest first'),
      })
      .describe('By what the service saw of its own health every few seconds'),
    latency: z
      .array(
        z.object({
          at: Timestamp.describe('When the hour began'),
          requests: z.number().int(),
          errors: z.number().int().describe('Answers with 5xx'),
          p50Ms: z.number().nullable(),
          p99Ms: z.number().nullable(),
        }),
      )
      .describe('Answers of the last 24 hours, by hour, oldest first; estimated from a histogram'),
    incidents: z.array(Incident).describe('Open incidents, newest first'),
    maintenance: z.array(Incident).describe('Maintenance that is planned or under way, next first'),
    history: z.array(Incident).describe('What is over and began in the last 90 days, newest first'),
  })
  .meta({ id: 'StatusSummary' });
export type StatusSummary = z.infer<typeof StatusSummary>;

/** `GET /v1/status/summary`: the status page as JSON. */
export const getStatusSummary = operation({
  method: 'GET',
  path: '/v1/status/summary',
  summary: 'Status page as JSON',
  description:
    'What `/status` shows: state, syncs, sources, uptime, latency, incidents and maintenance. It answers without the database too, with what was known last.',
  tags: ['System'],
  input: z.strictObject({}),
  output: oneOf(StatusSummary).meta({ id: 'StatusSummaryAnswer' }),
});

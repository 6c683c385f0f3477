import { z } from 'zod';
import { Attribution, listOf, oneOf, paging, PartialDate, Text, Timestamp } from './common.ts';
import { operation } from './operation.ts';

/** How a source fared in a run. */
export const OutcomeStatus = z
  .enum(['ok', 'not_modified', 'quarantined', 'failed', 'disabled'])
  .describe(
    'ok: new records accepted. not_modified: nothing new upstream. quarantined: what it brought is hard to believe, so that its last ' +
      'good records are kept until a sync with `force=true` accepts it. failed: it brought nothing, last good records kept. ' +
      'disabled: no API key.',
  )
  .meta({ id: 'OutcomeStatus' });
export type OutcomeStatus = z.infer<typeof OutcomeStatus>;

/** The class of a failure, enough to know where to look. */
export const FailureClass = z
  .enum([
    'unreachable',
    'tls',
    'timeout',
    'auth',
    'rate_limited',
    'http',
    'format',
    'shape',
    'too_large',
    'sanity',
    'circuit_open',
    'internal',
    'aborted',
  ])
  .describe(
    'unreachable: no connection, or one that broke off. tls: no certificate that can be trusted. timeout: too slow. auth: the key was ' +
      'not accepted. rate_limited: 429. http: another status or redirect. format: not JSON. shape: not in the expected form. ' +
      'too_large: beyond the size cap. sanity: hard to believe beside what was held before. circuit_open: not asked, since it failed ' +
      'too often in a row. aborted: it was not done when its run was stopped. internal: a fault of ours.',
  )
  .meta({ id: 'FailureClass' });
export type FailureClass = z.infer<typeof FailureClass>;

/** Items of one source that were turned down for one reason. */
export const Rejection = z
  .object({
    reason: z.string(),
    count: z.number().int(),
    samples: z.array(z.string()).describe('The first such items, shortened'),
  })
  .meta({ id: 'Rejection' });
export type Rejection = z.infer<typeof Rejection>;

/** What one source brought in one run. */
export const SourceOutcome = z
  .object({
    source: z.string().meta({ example: 'openrouter' }),
    status: OutcomeStatus,
    fetched: z.number().int().describe('Items received; for not_modified, those of its last good fetch'),
    parsed: z.number().int().describe('Items that became records'),
    rejected: z.number().int().describe('Items that did not'),
    rejections: z.array(Rejection),
    warnings: z.array(z.string()),
    requests: z.number().int().describe('HTTP requests made, retries included'),
    bytes: z.number().int().describe('Bytes received, decoded'),
    httpStatus: z.number().int().nullable().describe('Last HTTP status seen'),
    durationMs: z.number().int(),
    error: z
      .object({ class: FailureClass, message: z.string() })
      .nullable()
      .describe('Why it failed or was quarantined, and what to do'),
  })
  .meta({ id: 'SourceOutcome' });
export type SourceOutcome = z.infer<typeof SourceOutcome>;

/** How a run stands or ended. */
export const RunStatus = z
  .enum(['running', 'completed', 'partial', 'failed', 'interrupted', 'aborted', 'superseded'])
  .describe(
    'completed: every enabled source ok or not_modified. partial: some failed or were quarantined. failed: all did, or nothing could be stored. ' +
      'interrupted: the process died. aborted: stopped on shutdown. superseded: another run took over.',
  )
  .meta({ id: 'RunStatus' });
export type RunStatus = z.infer<typeof RunStatus>;

/** One execution of the sync. */
export const SyncRun = z
  .object({
    id: z.string().meta({ example: 'sync_mibx3k2f4d1c0a9e8b7f' }),
    status: RunStatus,
    message: z.string(),
    trigger: z.enum(['schedule', 'start', 'api', 'command', 'backfill']).describe('What started it'),
    startedAt: Timestamp,
    completedAt: Timestamp.nullable(),
    durationMs: z.number().int().nullable(),
    totalFetched: z.number().int().describe('Items, of all sources'),
    totalStored: z.number().int().describe('Models published after the run'),
    catalogVersion: z.number().int().nullable().describe('Catalogue version after the run'),
    forced: z
      .boolean()
      .describe(
        'Whether it was started with `force=true`, to accept what looked wrong; its outcomes warn of what that was',
      ),
    sources: z.array(SourceOutcome),
  })
  .meta({ id: 'SyncRun' });
export type SyncRun = z.infer<typeof SyncRun>;

/** An upstream catalogue, and how fresh what we have of it is. */
export const Source = z
  .object({
    id: z.string().meta({ example: 'models.dev' }),
    name: z.string(),
    url: z.url().nullable().describe('Where it is fetched from; null: it is part of the service'),
    status: OutcomeStatus.nullable().describe('Outcome in the last finished run; null before the first'),
    records: z.number().int().describe('Records held'),
    lastGoodAt: Timestamp.nullable().describe('Last time it answered well'),
    asOf: PartialDate.nullable().describe('Date of the data, where the source is a dated copy'),
    attribution: Attribution.nullable(),
    apiKeyVariable: z.string().nullable().describe('Environment variable of its API key'),
    error: SourceOutcome.shape.error.describe('Why the last run failed for it, or quarantined it'),
  })
  .meta({ id: 'Source' });
export type Source = z.infer<typeof Source>;

/** `GET /v1/sources`: the upstream catalogues. */
export const listSources = operation({
  method: 'GET',
  path: '/v1/sources',
  summary: 'List sources',
  description:
    'The upstream catalogues, how each fared in the last sync, and how many records are held of it.',
  tags: ['Sources'],
  input: z.strictObject(paging),
  output: listOf(Source).meta({ id: 'SourceList' }),
  errors: ['BAD_REQUEST'],
});

/** `POST /v1/admin/sync`: starts a run and answers at once. */
export const startSync = operation({
  method: 'POST',
  path: '/v1/admin/sync',
  summary: 'Start a sync',
  description:
    'Starts a run and answers at once with its id; `Location` says where to follow it. While a run is under way the answer is 409 with its `runId`.',
  tags: ['Admin'],
  admin: true,
  status: 202,
  query: ['force'],
  input: z.strictObject({
    force: z
      .boolean()
      .default(false)
      .describe(
        'Fetch every source whole and compare all of it, though it says that nothing has changed; accept what would be quarantined; ask sources that failed too often',
      ),
  }),
  output: oneOf(SyncRun.pick({ id: true, status: true, startedAt: true })).meta({ id: 'SyncStarted' }),
  errors: ['BAD_REQUEST', 'CONFLICT', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
});

/** `GET /v1/admin/sync/history`: runs, newest first. */
export const listRuns = operation({
  method: 'GET',
  path: '/v1/admin/sync/history',
  summary: 'List sync runs',
  description: 'Runs, newest first, each with the outcome of every source.',
  tags: ['Admin'],
  admin: true,
  input: z.strictObject(paging),
  output: listOf(SyncRun).meta({ id: 'SyncRunList' }),
  errors: ['BAD_REQUEST'],
});

/** `GET /v1/admin/sync/{id}`: one run. */
export const getRun = operation({
  method: 'GET',
  path: '/v1/admin/sync/{id}',
  summary: 'Get a sync run',
  description: 'One run, with the outcome of every source.',
  tags: ['Admin'],
  admin: true,
  input: z.strictObject({
    id: Text.min(1).max(100).describe('Id of the run').meta({ example: 'sync_mibx3k2f4d1c0a9e8b7f' }),
  }),
  output: oneOf(SyncRun).meta({ id: 'SyncRunAnswer' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND'],
});

import { z } from 'zod';
import { GivenTime, listOf, oneOf, paging, Text, Timestamp } from './common.ts';
import { operation } from './operation.ts';

/** The statuses of an incident in their usual order. */
export const INCIDENT_STATUSES = ['investigating', 'identified', 'monitoring', 'resolved'] as const;
/** The statuses of planned maintenance in their usual order. */
export const MAINTENANCE_STATUSES = ['scheduled', 'in_progress', 'completed'] as const;

const IncidentStatus = z
  .enum([...INCIDENT_STATUSES, ...MAINTENANCE_STATUSES])
  .describe(
    `Of an incident: ${INCIDENT_STATUSES.join(', ')}. Of maintenance: ${MAINTENANCE_STATUSES.join(', ')}`,
  );

/** Something that went wrong, or work that is planned, as users are told of it. */
export const Incident = z
  .object({
    id: z.string().meta({ example: 'inc_mibx3k2f4d1c0a9e8b7f' }),
    kind: z.enum(['incident', 'maintenance']),
    title: z.string().meta({ example: 'Slow answers' }),
    severity: z
      .union([z.literal(1), z.literal(2), z.literal(3)])
      .nullable()
      .describe('1: critical, 2: high, 3: medium; null: maintenance'),
    status: IncidentStatus,
    startsAt: Timestamp,
    endsAt: Timestamp.nullable().describe(
      'When it was over; of maintenance, when it is planned to be. Null: not known yet',
    ),
    updatedAt: Timestamp,
    updates: z
      .array(z.object({ at: Timestamp, status: IncidentStatus, message: z.string() }))
      .describe('What was said about it, newest first'),
  })
  .meta({ id: 'Incident' });
export type Incident = z.infer<typeof Incident>;

const Message = Text.min(1).max(5_000).describe('What users are told, as plain text');

/** `GET /v1/incidents`: incidents and maintenance, newest first. */
export const listIncidents = operation({
  method: 'GET',
  path: '/v1/incidents',
  summary: 'List incidents and planned maintenance',
  description: 'What went wrong, and what work is planned: the latest start first.',
  tags: ['System'],
  input: z.strictObject({
    ...paging,
    kind: Incident.shape.kind.optional().describe('Only these'),
    open: z.boolean().optional().describe('true: only what is not over; false: only what is'),
  }),
  output: listOf(Incident).meta({ id: 'IncidentList' }),
  errors: ['BAD_REQUEST'],
});

/** `POST /v1/admin/incidents`: tells users of an incident or of planned maintenance. */
export const openIncident = operation({
  method: 'POST',
  path: '/v1/admin/incidents',
  summary: 'Open an incident, or announce maintenance',
  description:
    'It is shown on the status page at once. An incident needs a `severity`, maintenance `startsAt` and `endsAt`.',
  tags: ['Admin'],
  admin: true,
  input: z.strictObject({
    kind: Incident.shape.kind.default('incident'),
    title: Text.min(1).max(200).describe('What it is, in a few words').meta({ example: 'Slow answers' }),
    severity: Incident.shape.severity.unwrap().optional(),
    message: Message.meta({ example: 'Lists take longer than usual. We are looking into it.' }),
    startsAt: GivenTime.optional().describe('Default: now'),
    endsAt: GivenTime.optional().describe('Of maintenance: when it is planned to be over'),
  }),
  output: oneOf(Incident).meta({ id: 'IncidentAnswer' }),
  errors: ['BAD_REQUEST', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
});

/** `POST /v1/admin/incidents/{id}/updates`: says how an incident or maintenance stands. */
export const updateIncident = operation({
  method: 'POST',
  path: '/v1/admin/incidents/{id}/updates',
  summary: 'Update an incident or maintenance',
  description:
    'Adds what is known now. `resolved` and `completed` end it; an update after that opens it again where its status says so.',
  tags: ['Admin'],
  admin: true,
  input: z.strictObject({
    id: Text.min(1).max(100).describe('Id of the incident').meta({ example: 'inc_mibx3k2f4d1c0a9e8b7f' }),
    status: IncidentStatus,
    message: Message,
    endsAt: GivenTime.optional().describe('Of maintenance: when it is planned to be over now'),
  }),
  output: oneOf(Incident).meta({ id: 'IncidentUpdated' }),
  errors: ['BAD_REQUEST', 'NOT_FOUND', 'PAYLOAD_TOO_LARGE', 'UNSUPPORTED_MEDIA_TYPE'],
});

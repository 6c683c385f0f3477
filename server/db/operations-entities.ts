import { defineEntity, p } from '@mikro-orm/core';

// What the operators need to know of the past: how the service fared, what went wrong, what was done about it.

/** What one instance saw of itself in five minutes. Nothing seen is 0 or null, never a guess. */
export const SampleEntity = defineEntity({
  name: 'Sample',
  tableName: 'samples',
  properties: {
    /** When the five minutes began. */
    at: p.text().primary(),
    /** The process, by a name of its own. */
    instance: p.text().primary(),
    /** Version of the service. */
    version: p.text(),
    /** How often it looked at its own health, and what it saw. */
    checks: p.integer(),
    ok: p.integer(),
    degraded: p.integer(),
    /** Answers, and how many of them were 5xx. */
    requests: p.integer(),
    errors: p.integer(),
    /** Answers by duration: counts for the buckets of the histogram, as a JSON array. */
    durations: p.text(),
    cacheHits: p.integer(),
    cacheMisses: p.integer(),
    cacheBypassed: p.integer(),
    /** Queries of the database, the time that they took, and how many were slow. */
    queries: p.integer(),
    queryMs: p.bigint('number'),
    slowQueries: p.integer(),
    /** Most connections of the database in use, of all its clients, and how many it allows; null: SQLite has none. */
    connections: p.integer().nullable(),
    connectionsMax: p.integer().nullable(),
    /** Size of the database; null: not seen. */
    databaseBytes: p.bigint('number').nullable(),
  },
});

/** An incident, or planned maintenance, as the status page tells it. */
export const IncidentEntity = defineEntity({
  name: 'Incident',
  tableName: 'incidents',
  properties: {
    id: p.text().primary(),
    /** `incident` or `maintenance`. */
    kind: p.text(),
    title: p.text(),
    /** 1 to 3, of incidents; null: maintenance. */
    severity: p.integer().nullable(),
    status: p.text(),
    startsAt: p.text(),
    /** When it was over; of maintenance, when it is planned to be. Null: not known yet. */
    endsAt: p.text().nullable(),
    updatedAt: p.text(),
  },
  indexes: [{ properties: ['startsAt'] }],
});

/** What was said about an incident, in order. */
export const IncidentUpdateEntity = defineEntity({
  name: 'IncidentUpdate',
  tableName: 'incident_updates',
  properties: {
    incidentId: p.text().primary(),
    /** Counts up from 1. */
    number: p.integer().primary().autoincrement(false),
    at: p.text(),
    status: p.text(),
    message: p.text(),
  },
});

/** A call that only admins may make, or an attempt at one. Rows are added, never changed and never removed. */
export const AdminCallEntity = defineEntity({
  name: 'AdminCall',
  tableName: 'admin_audit',
  properties: {
    id: p.text().primary(),
    at: p.text(),
    /** Dotted name of the operation. */
    operation: p.text(),
    /** `admitted`, before it was carried out; `refused`: with a wrong secret; `configured`: no call, but a secret seen for the first time. */
    result: p.text(),
    /** The variable of the secret that opened the door, or `local door`; null: none did. */
    key: p.text().nullable(),
    address: p.text(),
    userAgent: p.text().nullable(),
    requestId: p.text(),
    /** SHA-256 of the input as JSON, or of the digest of the secret; null: refused before it was read. */
    inputHash: p.text().nullable(),
  },
  indexes: [{ properties: ['at'] }],
});

/** One backup, restore, drill or maintenance of the database, and how it ended. */
export const OperationEntity = defineEntity({
  name: 'Operation',
  tableName: 'operations',
  properties: {
    id: p.text().primary(),
    /** `backup`, `restore`, `drill` or `maintain`. */
    kind: p.text(),
    startedAt: p.text(),
    completedAt: p.text(),
    /** `completed` or `failed`. */
    status: p.text(),
    message: p.text(),
    /** Figures of it, as JSON text. */
    details: p.text(),
  },
  indexes: [{ properties: ['kind', 'startedAt'] }],
});

import type { Database } from '../../server/db/database.ts';
import { listIncidents } from '../../server/db/incidents.ts';
import { operationsBetween } from '../../server/db/operations.ts';
import { runsBetween } from '../../server/db/runs.ts';
import { samplesBetween } from '../../server/db/samples.ts';
import { alertHistory, firingAlerts } from '../monitors.ts';
import type { OpsContext } from '../command.ts';
import type { Endpoint } from '../config.ts';
import { withDatabase } from '../with-database.ts';

/** One thing that happened. */
export interface Event {
  at: string;
  text: string;
}
interface Span {
  from: string;
  to: string;
}

const SEVERITY = { 1: '1 (Critical)', 2: '2 (High)', 3: '3 (Medium)' };

/** What happened in a time, oldest first, from the database and the alerts; notes say what could not be asked. */
export async function timelineOf(
  { service, ops }: OpsContext,
  span: Span,
): Promise<{ timeline: Event[]; notes: string[] }> {
  const notes: string[] = [];
  const attempt = (what: string, work: Promise<Event[]>): Promise<Event[]> =>
    work.catch((error: unknown) => {
      notes.push(`The timeline has no ${what}: ${(error as Error).message}`);
      return [];
    });
  const parts = [
    attempt(
      'syncs and errors',
      withDatabase(service, (database) => stored(database, span)),
    ),
  ];
  if (ops.prometheus !== null) parts.push(attempt('past alerts', alertHistory(ops.prometheus, span)));
  else if (ops.alertmanager !== null) parts.push(attempt('alerts', present(ops.alertmanager)));
  else notes.push('The timeline has no alerts: set PROMETHEUS_URL or ALERTMANAGER_URL');
  const events = (await Promise.all(parts)).flat();
  return { timeline: events.toSorted((a, b) => (a.at < b.at ? -1 : Number(a.at > b.at))), notes };
}

async function present(alertmanager: Endpoint): Promise<Event[]> {
  const alerts = await firingAlerts(alertmanager);
  return alerts.map(({ name, severity, since }) => ({
    at: since,
    text: `Alert ${name} (${severity}) fired`,
  }));
}

async function stored({ read }: Database, span: Span): Promise<Event[]> {
  const events: Event[] = [];
  for (const { id, status, message, startedAt, completedAt } of await runsBetween(read, span, 'completed_at'))
    if (status !== 'completed' && status !== 'running')
      events.push({ at: completedAt ?? startedAt, text: `Sync ${id} ${status}: ${message}` });
  for (const { kind, status, message, completed_at: at } of await operationsBetween(
    read,
    span,
    'completed_at',
  ))
    if (status === 'failed') events.push({ at, text: `${kind} failed: ${message}` });
  const any = { kind: null, open: null, from: null };
  const { incidents } = await listIncidents(read, any, { limit: 100, offset: 0 });
  for (const { title, updates } of incidents)
    for (const { at, status, message } of updates)
      if (at >= span.from && at < span.to)
        events.push({ at, text: `Status page, "${title}": ${status}. ${message}` });
  return [...events, ...(await turns(read, span))];
}

/** When errors, trouble and other versions began and ended, by samples of five minutes. */
async function turns(db: Database['read'], span: Span): Promise<Event[]> {
  const samples = await samplesBetween(db, span);
  const moments = [...Map.groupBy(samples, ({ at }) => at)];
  const events: Event[] = [];
  let before = { errors: false, unwell: false, versions: '' };
  for (const [at, instances] of moments) {
    const sum = (name: 'errors' | 'requests' | 'checks' | 'ok') =>
      instances.reduce((total, sample) => total + sample[name], 0);
    const versions = [...new Set(instances.map(({ version }) => version))].toSorted().join(' and ');
    const now = { errors: sum('errors') > 0, unwell: sum('ok') < sum('checks'), versions };
    if (now.errors && !before.errors)
      events.push({
        at,
        text: `Errors began: ${sum('errors')} of ${sum('requests')} answers in five minutes`,
      });
    if (!now.errors && before.errors) events.push({ at, text: 'Errors ended' });
    if (now.unwell && !before.unwell)
      events.push({ at, text: 'The service found itself degraded or without its database' });
    if (!now.unwell && before.unwell) events.push({ at, text: 'The service found itself well again' });
    if (before.versions !== '' && versions !== before.versions)
      events.push({ at, text: `Version ${versions} instead of ${before.versions}` });
    before = now;
  }
  return events;
}

/** The report as Markdown, from the template of the operators' plan. */
export function incidentReport({
  title,
  severity,
  at,
  timeline,
}: {
  title: string;
  severity: keyof typeof SEVERITY;
  at: string;
  timeline: Event[];
}): string {
  const oneLine = (text: string) => text.replaceAll(/\s+/g, ' ').slice(0, 300);
  const lines = timeline.map(
    (event) => `- ${event.at.slice(0, 16).replace('T', ' ')} UTC: ${oneLine(event.text)}`,
  );
  return `# Incident Report: ${oneLine(title)}

**Date**: ${at.slice(0, 10)}
**Severity**: ${SEVERITY[severity]}
**Duration**:
**Impact**:

## Summary

Brief description of what happened

## Timeline

${lines.length === 0 ? '- Nothing was recorded' : lines.join('\n')}

## Root Cause

Technical explanation

## Resolution

What was done to fix it

## Prevention

- Action item 1

## Owner

## Reviewers
`;
}

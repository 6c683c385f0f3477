import type { Incident } from '../../../contracts/incidents.ts';
import type { StatusSummary } from '../../../contracts/status-summary.ts';
import { latencyChart, syncChart, uptimeChart } from './charts.ts';
import { count, duration, escape, percent, time } from './html.ts';

const STATE: Record<StatusSummary['state'], string> = {
  ok: 'Operational',
  degraded: 'Degraded',
  unavailable: 'Unavailable',
  maintenance: 'Under maintenance',
};

const SEVERITY = ['', 'critical', 'high', 'medium'];

/** The status page. Everything that comes from outside is escaped. */
export function statusPage(summary: StatusSummary, now: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${STATE[summary.state]} – Effect Models status</title>
<link rel="stylesheet" href="status/style.css">
<link rel="alternate" type="application/json" href="v1/status/summary">
</head>
<body>
<header>
<h1>Effect Models status</h1>
<div class="state ${summary.state}" role="status">
<strong>${STATE[summary.state]}</strong>
<p>${escape(summary.message)}</p>
</div>
</header>
<main>
${[
  cardSection('incidents', 'Incidents under way', summary.incidents),
  cardSection('maintenance', 'Planned maintenance', summary.maintenance),
  syncSection(summary),
  sourceSection(summary.sources),
  uptimeSection(summary.uptime),
  latencySection(summary.latency),
  historySection(summary.history),
]
  .filter((part) => part !== '')
  .join('\n')}
</main>
<footer>
<p>${summary.asOf === null ? 'Nothing could be read from the database yet.' : `As of ${time(summary.asOf)}.`} This page was made at ${time(now)}.</p>
<p>Version ${escape(summary.version)} · <a href="v1/status/summary">as JSON</a> · <a href="docs">API</a></p>
</footer>
</body>
</html>
`;
}

function syncSection({ lastSync, runningSync, nextSyncAt, models, syncs }: StatusSummary): string {
  const last =
    lastSync === null
      ? 'none yet'
      : `${lastSync.completedAt === null ? '' : time(lastSync.completedAt)} <span class="soft">${escape(lastSync.status)}</span>`;
  const facts: [string, string][] = [
    ['Last sync', last],
    ['Duration', duration(lastSync?.durationMs ?? null)],
    ['Models', count(models)],
    [
      runningSync === null ? 'Next sync' : 'Sync under way',
      runningSync !== null
        ? `since ${time(runningSync.startedAt)}`
        : nextSyncAt === null
          ? '–'
          : time(nextSyncAt),
    ],
  ];
  const chart =
    syncs.length === 0
      ? ''
      : `${syncChart(syncs)}
<details><summary>${syncs.length === 1 ? 'The last sync' : `The last ${syncs.length} syncs`} as a table</summary><div class="scroll"><table>
<thead><tr><th scope="col">Started</th><th scope="col">Status</th><th scope="col">Duration</th><th scope="col">Items</th><th scope="col">Models</th></tr></thead>
<tbody>${syncs
          .map(
            ({ startedAt, status, durationMs, totalFetched, totalStored }) =>
              `<tr><td>${time(startedAt)}</td><td>${escape(status)}</td><td>${duration(durationMs)}</td><td>${count(totalFetched)}</td><td>${count(totalStored)}</td></tr>`,
          )
          .join('')}</tbody></table></div></details>`;
  return `<section aria-labelledby="sync"><h2 id="sync">Data</h2>
<dl>${facts.map(([name, value]) => `<div><dt>${name}</dt><dd>${value}</dd></div>`).join('')}</dl>
${chart}</section>`;
}

function sourceSection(sources: StatusSummary['sources']): string {
  if (sources.length === 0) return '';
  const rows = sources.map(({ name, status, records, lastGoodAt, error }) => {
    const why = error === null ? '' : `<br><span class="soft">${escape(error.class)}</span>`;
    return `<tr><th scope="row">${escape(name)}</th><td>${escape(status?.replace('_', ' ') ?? 'not asked yet')}${why}</td><td>${count(records)}</td><td>${lastGoodAt === null ? 'never' : time(lastGoodAt)}</td></tr>`;
  });
  return `<section aria-labelledby="sources"><h2 id="sources">Sources</h2>
<div class="scroll"><table><thead><tr><th scope="col">Source</th><th scope="col">Last sync</th><th scope="col">Records</th><th scope="col">Last good answer</th></tr></thead>
<tbody>${rows.join('')}</tbody></table></div></section>`;
}

function uptimeSection(uptime: StatusSummary['uptime']): string {
  const facts: [string, number | null][] = [
    ['24 hours', uptime.day],
    ['7 days', uptime.week],
    ['90 days', uptime.quarter],
  ];
  const first = uptime.days[0]?.date ?? '';
  const last = uptime.days.at(-1)?.date ?? '';
  return `<section aria-labelledby="uptime"><h2 id="uptime">Uptime</h2>
<dl>${facts.map(([name, share]) => `<div><dt>${name}</dt><dd>${percent(share)}</dd></div>`).join('')}</dl>
${uptime.days.length === 0 ? '' : `${uptimeChart(uptime)}<p class="ends soft"><span>${first}</span><span>${last}</span></p>`}</section>`;
}

function latencySection(latency: StatusSummary['latency']): string {
  if (latency.length === 0) return '';
  const last = latency.findLast(({ p99Ms }) => p99Ms !== null);
  const facts =
    last === undefined
      ? '<p class="soft">No requests in the last 24 hours.</p>'
      : `<p class="soft">Last hour with requests: half of the answers within ${duration(last.p50Ms)}, 99 % within ${duration(last.p99Ms)}.</p>`;
  return `<section aria-labelledby="latency"><h2 id="latency">Latency</h2>
${facts}${latencyChart(latency)}<p class="ends soft"><span>24 hours ago</span><span>now</span></p></section>`;
}

function incidentCard({ title, kind, severity, status, startsAt, endsAt, updates }: Incident): string {
  const what = severity === null ? '' : ` · severity ${severity} (${SEVERITY[severity]})`;
  const until = endsAt === null ? '' : ` – ${time(endsAt)}`;
  return `<article><h3>${escape(title)}</h3>
<p class="soft">${kind === 'maintenance' ? 'Maintenance' : 'Incident'} · ${escape(status.replace('_', ' '))}${what} · ${time(startsAt)}${until}</p>
<ol>${updates.map((update) => `<li><span class="soft">${time(update.at)} · ${escape(update.status.replace('_', ' '))}</span>\n${escape(update.message)}</li>`).join('')}</ol></article>`;
}

function cardSection(id: string, title: string, incidents: Incident[]): string {
  if (incidents.length === 0) return '';
  return `<section aria-labelledby="${id}"><h2 id="${id}">${title}</h2>
${incidents.map(incidentCard).join('\n')}</section>`;
}

function historySection(history: Incident[]): string {
  return `<section aria-labelledby="history"><h2 id="history">History</h2>
${history.length === 0 ? '<p class="soft">No incidents in the last 90 days.</p>' : history.map(incidentCard).join('\n')}</section>`;
}

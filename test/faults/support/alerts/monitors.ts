import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { writeRoutes } from '../../../support/alert-routes.ts';
import { PROMETHEUS } from '../../../support/alert-rules.ts';
import { freePort } from '../../../support/ports.ts';
import type { Finish } from '../../../support/process.ts';
import { has } from '../../../support/tools.ts';
import { answers, startProgram, type Program } from './program.ts';
import { startReceiver, type Message } from './receiver.ts';
import { FACTOR, quickPrometheus, quickRoutes, shortenRules, writtenRules } from './shorten.ts';

/** What opens the metrics of the services under test. */
export const METRICS_TOKEN = 'metrics-Token-4Rt8yUi2oPa6sDf0gHj3kLz7xCv1bNm5Q';

const PROGRAMS = [
  'prometheus',
  'prometheus-alertmanager',
  'prometheus-blackbox-exporter',
  'prometheus-node-exporter',
  'redis-server',
];

/** Whether everything is installed that watches. */
export const canMonitor = PROGRAMS.every(has);

/** Everything that watches, from the exporters to those who are told. */
export interface Monitors {
  prometheusUrl: string;
  alertmanagerUrl: string;
  /** Who was told what so far. */
  messages: Message[];
  /** Alerts of which nobody was told at some time, since their cause silenced them. */
  silenced: Set<string>;
  blackbox: Program;
  nodeExporter: Program;
  /** Names what is watched: addresses of services, the one that clients ask, and node exporters beside the first. */
  watch(targets: { services: string[]; health: string; machines?: string[] }): void;
}

/** Remembers which alerts are silenced by their causes, until the test is over. */
function rememberSilenced(alertmanagerUrl: string, finish: Finish): Set<string> {
  const silenced = new Set<string>();
  const look = async () => {
    const response = await fetch(`${alertmanagerUrl}/api/v2/alerts`).catch(() => null);
    const alerts = ((await response?.json()) ?? []) as Managed[];
    for (const { labels, status } of alerts)
      if (status.inhibitedBy.length > 0) silenced.add(labels.alertname);
  };
  let looking = Promise.resolve();
  const timer = setInterval(() => {
    looking = looking.then(look);
  }, LOOK_MS);
  finish(async () => {
    clearInterval(timer);
    await looking;
  });
  return silenced;
}

const LOOK_MS = 500;

interface Managed {
  labels: { alertname: string };
  status: { inhibitedBy: string[] };
}

const loopback = (port: number) => `127.0.0.1:${port}`;

/** Starts what watches, with the configuration that is shipped, quick. */
export async function startMonitors(finish: Finish): Promise<Monitors> {
  const folder = mkdtempSync(join(tmpdir(), 'effect-models-monitors-'));
  finish(() => rmSync(folder, { recursive: true, force: true }));
  const [prometheus, alertmanager, blackbox, node] = [
    loopback(await freePort()),
    loopback(await freePort()),
    loopback(await freePort()),
    loopback(await freePort()),
  ];
  const receiver = await startReceiver(finish);
  const routes = writeRoutes(
    folder,
    {
      pagerduty: `${receiver.url}/page`,
      slack: `${receiver.url}/notify`,
      ticket: `${receiver.url}/ticket`,
    },
    quickRoutes,
  );
  const token = join(folder, 'secrets', 'metrics_token');
  writeFileSync(token, METRICS_TOKEN);
  for (const name of ['rules', 'targets']) mkdirSync(join(folder, name));
  for (const file of shortenRules().files)
    writeFileSync(join(folder, 'rules', file.name), writtenRules(file));
  const target = (name: string, groups: object[]) =>
    writeFileSync(join(folder, 'targets', `${name}.yml`), stringify(groups));
  target('node', []);
  target('service', []);
  target('health', []);
  writeFileSync(
    join(folder, 'prometheus.yml'),
    stringify(quickPrometheus({ token, alertmanager, blackbox })),
  );

  startProgram(
    'prometheus-alertmanager',
    [
      `--config.file=${routes}`,
      `--storage.path=${join(folder, 'alertmanager')}`,
      `--web.listen-address=${alertmanager}`,
      '--cluster.listen-address=',
    ],
    { finish },
  );
  const blackboxExporter = startProgram(
    'prometheus-blackbox-exporter',
    [
      `--config.file=${join(PROMETHEUS, 'blackbox.yml')}`,
      `--web.listen-address=${blackbox}`,
      '--timeout-offset=0.2',
    ],
    { finish },
  );
  const nodeExporter = startProgram(
    'prometheus-node-exporter',
    ['--collector.disable-defaults', '--collector.cpu', `--web.listen-address=${node}`],
    { finish },
  );
  startProgram(
    'prometheus',
    [
      `--config.file=${join(folder, 'prometheus.yml')}`,
      `--storage.tsdb.path=${join(folder, 'data')}`,
      `--web.listen-address=${prometheus}`,
      `--query.lookback-delta=${(5 * 60) / FACTOR}s`,
      `--rules.alert.resend-delay=${60 / FACTOR}s`,
      '--rules.alert.for-grace-period=0s',
      '--log.level=error',
    ],
    { finish },
  );
  await Promise.all([
    answers(`http://${prometheus}/-/ready`),
    answers(`http://${alertmanager}/-/ready`),
    answers(`http://${blackbox}/-/healthy`),
    answers(`http://${node}/`),
  ]);
  return {
    prometheusUrl: `http://${prometheus}`,
    alertmanagerUrl: `http://${alertmanager}`,
    messages: receiver.messages,
    silenced: rememberSilenced(`http://${alertmanager}`, finish),
    blackbox: blackboxExporter,
    nodeExporter,
    watch({ services, health, machines = [] }) {
      target('service', [{ targets: services.map((url) => new URL(url).host), labels: { role: 'all' } }]);
      target('health', [{ targets: [`${health}/health`] }]);
      target('node', [{ targets: [node, ...machines], labels: { role: 'database' } }]);
    },
  };
}

import { z } from 'zod';
import { ConfigError } from '../server/config.ts';

const amount = (what: string) =>
  z
    .string()
    .regex(/^\d+(\.\d+)?$/, `must be ${what}`)
    .transform(Number)
    .optional();

const httpUrl = z.url({ protocol: /^https?$/, error: 'must be an http or https URL' });

const variables = z.object({
  SERVICE_URL: httpUrl.optional(),
  PORT: z.string().default('3000'),
  ADMIN_SECRET: z.string().optional(),
  PROMETHEUS_URL: httpUrl.optional(),
  ALERTMANAGER_URL: httpUrl.optional(),
  BACKUP_DIR: z.string().min(1).default('./data/backups'),
  BACKUP_KEEP: z
    .string()
    .regex(/^[1-9]\d*$/, 'must be a whole number above 0')
    .transform(Number)
    .prefault('14'),
  INCIDENTS_DIR: z.string().min(1).default('./data/incidents'),
  MONTHLY_COST_USD: amount('an amount in USD'),
  MONTHLY_BUDGET_USD: amount('an amount in USD'),
});

/** Where something answers over HTTP: its address may be shown, its headers hold the credentials. */
export interface Endpoint {
  /** Without credentials, and without a slash at the end. */
  url: string;
  headers: Record<string, string>;
}

function endpointOf(given: string): Endpoint {
  const url = new URL(given);
  const [user, password] = [url.username, url.password].map(decodeURIComponent);
  [url.username, url.password] = ['', ''];
  const credentials = `${user}:${password}`;
  const authorization = `Basic ${Buffer.from(credentials).toString('base64')}`;
  return { url: url.href.replace(/\/+$/, ''), headers: credentials === ':' ? {} : { authorization } };
}

/** What the environment tells the operators' commands beside the configuration of the service; null: not told. */
export interface OpsConfig {
  /** Where the service answers; by default on this machine. */
  api: Endpoint;
  /** The admin secret, or its hash, as it is set. */
  adminSecret: string | null;
  prometheus: Endpoint | null;
  alertmanager: Endpoint | null;
  /** Where backups are written, and how many of them are kept. */
  backupDir: string;
  backupKeep: number;
  /** Where incident reports are written. */
  incidentsDir: string;
  monthlyCostUsd: number | null;
  monthlyBudgetUsd: number | null;
}

/** Reads what operators' commands need from an environment. Throws `ConfigError` with every problem at once. */
export function readOpsConfig(environment: NodeJS.ProcessEnv = process.env): OpsConfig {
  const given = Object.fromEntries(Object.entries(environment).filter(([, value]) => value?.trim()));
  const result = variables.safeParse(given);
  if (!result.success)
    throw new ConfigError(
      result.error.issues.map(({ path, message }) => `${path.map(String).join('.')} ${message}`),
    );
  const { data } = result;
  const known = (url: string | undefined) => (url === undefined ? null : endpointOf(url));
  return {
    api: endpointOf(data.SERVICE_URL ?? `http://127.0.0.1:${data.PORT}`),
    adminSecret: data.ADMIN_SECRET ?? null,
    prometheus: known(data.PROMETHEUS_URL),
    alertmanager: known(data.ALERTMANAGER_URL),
    backupDir: data.BACKUP_DIR,
    backupKeep: data.BACKUP_KEEP,
    incidentsDir: data.INCIDENTS_DIR,
    monthlyCostUsd: data.MONTHLY_COST_USD ?? null,
    monthlyBudgetUsd: data.MONTHLY_BUDGET_USD ?? null,
  };
}

/** The environment that a program is started with: that of this process, and what is added. */
export function programEnvironment(added: Record<string, string>): NodeJS.ProcessEnv {
  return { ...process.env, ...added };
}

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

/** What the environment tells the operators' commands beside the configuration of the service; null: not told. */
export interface OpsConfig {
  /** Where the service answers, without a slash at the end; by default on this machine. */
  serviceUrl: string;
  /** The admin secret, or its hash, as it is set. */
  adminSecret: string | null;
  prometheusUrl: string | null;
  alertmanagerUrl: string | null;
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
  const bare = (url: string | undefined) => url?.replace(/\/+$/, '') ?? null;
  return {
    serviceUrl: bare(data.SERVICE_URL) ?? `http://127.0.0.1:${data.PORT}`,
    adminSecret: data.ADMIN_SECRET ?? null,
    prometheusUrl: bare(data.PROMETHEUS_URL),
    alertmanagerUrl: bare(data.ALERTMANAGER_URL),
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

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

/** The folder of the configuration that is shipped. */
export const OPS = fileURLToPath(new URL('../../ops/', import.meta.url));

/** What tests read of a service of ops/compose.yaml. */
export interface ComposeService {
  image: string;
  profiles?: string[];
  restart: string;
  read_only?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  logging?: { driver: string; options: Record<string, string> };
  command?: string[];
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  secrets?: string[];
  tmpfs?: string[];
  healthcheck?: { test?: string[]; disable?: boolean };
  depends_on?: Record<string, { condition: string }>;
  stop_grace_period?: string;
  build?: { context: string; target: string };
  deploy?: { resources: { limits: { cpus: string; memory: string } } };
}

/** What tests read of ops/compose.yaml. */
export interface Compose {
  services: Record<string, ComposeService>;
  networks: Record<string, { internal?: boolean; ipam?: { config: { subnet: string }[] } } | null>;
  volumes: Record<string, object | null>;
  secrets: Record<string, { file: string }>;
}

/** The file as it is written. */
export const COMPOSE_TEXT = readFileSync(`${OPS}compose.yaml`, 'utf8');

/** Reads ops/compose.yaml, anchors and merges resolved, variables as they are written. */
export const readCompose = (): Compose => parse(COMPOSE_TEXT, { merge: true }) as Compose;

/** Variables of a file such as ops/.env.example. */
export function readEnvironment(path: string): Record<string, string> {
  const lines = readFileSync(path, 'utf8').split('\n');
  const pairs = lines.flatMap((line) => [...line.matchAll(/^([A-Z_]+)=(.*)$/g)]);
  return Object.fromEntries(pairs.map(([, name = '', value = '']) => [name, value]));
}

/** Puts variables into a text as `docker compose` does. Throws where one is required and missing. */
export function interpolate(text: string, variables: Record<string, string>): string {
  return text.replace(
    /\$\{([A-Z_]+)(?::([-?])([^}]*))?\}/g,
    (_, name: string, kind: string, rest: string) => {
      const value = variables[name] ?? '';
      if (value !== '') return value;
      if (kind === '?') throw new Error(`${name}: ${rest}`);
      return kind === '-' ? rest : '';
    },
  );
}

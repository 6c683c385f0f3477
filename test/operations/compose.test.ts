import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, globSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { DCLinter } from 'dclint';
import { describe, expect, inject, onTestFinished, test } from 'vitest';
import pg from 'pg';
import { variables } from '../../server/config-values.ts';
import { readConfig } from '../../server/config.ts';
import { SOURCES } from '../../sync/sources/index.ts';
import {
  COMPOSE_TEXT,
  interpolate,
  OPS,
  readCompose,
  readEnvironment,
  type ComposeService,
} from '../support/compose.ts';

/** What dclint says of a line. */
interface Finding {
  line: number;
  rule: string;
  message: string;
}

const compose = readCompose();
const services = Object.entries(compose.services);
const example = readEnvironment(join(OPS, '.env.example'));
const file = (name: string) => readFileSync(join(OPS, name), 'utf8');
/** What an operator fills in. */
const filled = {
  ...example,
  ADMIN_SECRET: `sha256:${'0'.repeat(64)}`,
  METRICS_TOKEN: `sha256:${'1'.repeat(64)}`,
};

/** The processes of the service, with what they are told. */
const processes = services
  .filter(([, { environment }]) => environment?.ROLE !== undefined)
  .map(([name, service]) => {
    const given = Object.entries(service.environment ?? {});
    return [
      name,
      Object.fromEntries(given.map(([key, value]) => [key, interpolate(value, filled)])),
    ] as const;
  });

describe('ops/compose.yaml', () => {
  test('fits the schema, and has nothing to be said about it', () => {
    const off = [
      // Order is for readers.
      'service-keys-order',
      'services-alphabetical-order',
      'top-level-properties-order',
      // The formatter decides.
      'no-quotes-in-volumes',
      // Images are built on this host or pulled, whichever there is.
      'no-build-and-image',
      // The edge is public, and versions are held below.
      'no-unbound-port-interfaces',
      'service-image-require-explicit-tag',
    ];
    const linter = new DCLinter({
      rules: Object.fromEntries(off.map((rule) => [rule, 0])),
      quiet: false,
      debug: false,
      exclude: [],
    });
    // What dclint 3.1 says of its types can not be resolved.
    const results = linter.lintFiles([join(OPS, 'compose.yaml')], false) as { messages: Finding[] }[];
    const found = results.flatMap(({ messages }) => messages);
    expect(found.map(({ line, rule, message }) => `${line} ${rule}: ${message}`)).toEqual([]);
  });

  if (spawnSync('docker', ['compose', 'version']).status === 0)
    test('is read by docker compose', () => {
      const args = ['compose', '--file', join(OPS, 'compose.yaml'), '--profile', 'ops', 'config', '--quiet'];
      expect(execFileSync('docker', args, { env: { ...process.env, ...filled }, encoding: 'utf8' })).toBe('');
    });

  test('every image is pinned to a version', () => {
    const loose = services
      .map(([name, { image }]) => `${name} ${interpolate(image, filled)}`)
      .filter((line) => !/:v?\d+\.\d+(\.\d+)?(-[a-z]+)?$/.test(line) || line.includes('latest'));
    expect(loose).toEqual([]);
  });

  test('the edge alone is published; what operators look at listens on loopback', () => {
    const open = services.flatMap(([name, { ports = [] }]) =>
      ports.filter((port) => !port.startsWith('127.0.0.1:')).map((port) => `${name} ${port}`),
    );
    expect(open).toEqual(['haproxy 0.0.0.0:80:8080', 'haproxy 0.0.0.0:443:8443']);
  });

  test('every container can write nowhere but to volumes and memory, has no rights, and a limit', () => {
    const soft = services.filter(
      ([, { read_only: readOnly, cap_drop: dropped, security_opt: options }]) =>
        readOnly !== true || !dropped?.includes('ALL') || !options?.includes('no-new-privileges:true'),
    );
    expect(soft.map(([name]) => name)).toEqual([]);
    const isService = ([, { restart }]: [string, ComposeService]) => restart === 'unless-stopped';
    expect(services.filter(isService).filter(([, { deploy }]) => deploy === undefined)).toEqual([]);
    expect(services.filter(([, { logging }]) => logging?.options['max-size'] === undefined)).toEqual([]);
    expect(
      services.filter(isService).filter(([, { healthcheck }]) => healthcheck?.test === undefined),
    ).toEqual([]);
  });

  test('everything that is mounted is there, and every secret is used and kept out of git', () => {
    const mounted = services.flatMap(([, { volumes = [] }]) =>
      volumes.map((volume) => volume.split(':')[0] ?? ''),
    );
    const missing = mounted
      .filter((source) => source.startsWith('./') && !source.startsWith('./secrets/'))
      .filter((source) => !existsSync(join(OPS, source)));
    expect(missing).toEqual([]);
    const named = mounted.filter((source) => /^[a-z]/.test(source));
    expect(new Set(named)).toEqual(new Set(Object.keys(compose.volumes)));

    const used = services.flatMap(([, { secrets = [] }]) => secrets);
    expect(new Set(used)).toEqual(new Set(Object.keys(compose.secrets)));
    const ignored = spawnSync(
      'git',
      [
        'check-ignore',
        'ops/.env',
        ...Object.values(compose.secrets).map((secret) => join('ops', secret.file)),
      ],
      {
        cwd: join(OPS, '..'),
        encoding: 'utf8',
      },
    );
    expect(ignored.stdout.trim().split('\n')).toHaveLength(1 + Object.keys(compose.secrets).length);
  });

  test('every image of ours is built by one service alone', () => {
    const ours = services.filter(([, { image }]) => image.startsWith('${IMAGE'));
    const images = new Set(ours.map(([, { image }]) => image));
    const built = ours.filter(([, { build }]) => build !== undefined).map(([, { image }]) => image);
    expect(built.toSorted()).toEqual([...images].toSorted());
  });

  test('Postgres is healthy when it can be reached from elsewhere', () => {
    expect(compose.services.postgres?.healthcheck?.test).toContain('--host=127.0.0.1');
  });

  test('what is read anew while it runs is mounted by folder', () => {
    // A file that takes the place of another, as git does it, is not seen where the file alone is mounted.
    const mounted = services.flatMap(([name, { volumes = [] }]) =>
      volumes.map((volume) => `${name} ${volume.split(':')[0]}`),
    );
    const readAtStart = [
      'postgres ./postgres/postgresql.conf',
      'postgres ./postgres/10-roles.sh',
      'redis ./redis.conf',
    ];
    expect(mounted.filter((mount) => / \.\/.*\.\w+$/.test(mount))).toEqual(readAtStart);
  });

  test('what it starts from is there', () => {
    const wrong = services.flatMap(([name, { depends_on: dependencies = {}, networks = [] }]) => [
      ...Object.keys(dependencies).filter((other) => compose.services[other] === undefined),
      ...networks.filter((network) => !(network in compose.networks)).map((network) => `${name} ${network}`),
    ]);
    expect(wrong).toEqual([]);
  });

  test('its variables are those of ops/.env.example', () => {
    const used = [...COMPOSE_TEXT.matchAll(/\$\{([A-Z_]+)/g)].map(([, name]) => name);
    expect(new Set(used)).toEqual(new Set(Object.keys(example)));
    const required = [...COMPOSE_TEXT.matchAll(/\$\{([A-Z_]+):\?/g)].map(([, name]) => name);
    expect(new Set(required)).toEqual(new Set(['VERSION', 'ADMIN_SECRET', 'METRICS_TOKEN']));
  });

  test('tells the service nothing that it does not know, and nothing that it can not use', () => {
    const known = new Set([
      ...Object.keys(variables.shape),
      ...SOURCES.flatMap(({ baseUrl, apiKey, maxItems }) =>
        [baseUrl, apiKey, maxItems].map((is) => is?.variable),
      ),
      ...[...file('config.ts').matchAll(/^ {2}([A-Z_]+):/gm)].map(([, name]) => name),
    ]);
    const ours = services.filter(([, { image }]) => image.startsWith('${IMAGE'));
    expect(ours.length).toBeGreaterThanOrEqual(processes.length + 2);
    const unknown = ours.flatMap(([name, { environment = {} }]) =>
      Object.keys(environment)
        .filter((variable) => !known.has(variable))
        .map((variable) => `${name} ${variable}`),
    );
    expect(unknown).toEqual([]);
    const folder = mkdtempSync(join(tmpdir(), 'effect-models-secrets-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    for (const [, given] of processes) {
      const environment = { ...given };
      for (const [name, path] of Object.entries(given).filter(([, value]) => value.startsWith('/run/'))) {
        environment[name] = join(folder, basename(path));
        writeFileSync(environment[name], 'a secret\n');
      }
      expect(() => readConfig('production', { command: 'serve', environment })).not.toThrow();
    }
  });

  test('two processes answer and one syncs; their connections leave a fifth for others', () => {
    expect(processes.map(([name, { ROLE }]) => `${name} ${ROLE}`)).toEqual([
      'app-1 serve',
      'app-2 serve',
      'worker worker',
    ]);
    const most = Number(/^max_connections = (\d+)$/m.exec(file('postgres/postgresql.conf'))?.[1]);
    expect(processes.length * 24).toBeLessThanOrEqual(0.8 * most);
  });

  test('a stopping process has longer than the 10 s that it needs', () => {
    for (const [name] of processes)
      expect(Number.parseInt(compose.services[name]?.stop_grace_period ?? '', 10)).toBeGreaterThan(10);
  });

  test('instances believe the network of the edge about addresses', () => {
    const subnet = compose.networks.edge?.ipam?.config[0]?.subnet;
    for (const name of ['app-1', 'app-2']) {
      expect(compose.services[name]?.environment?.TRUSTED_PROXIES).toBe(subnet);
      expect(compose.services[name]?.networks).toContain('edge');
    }
    expect(compose.services.haproxy?.networks).toContain('edge');
    expect(compose.services.worker?.networks).not.toContain('edge');
  });

  test('HAProxy listens where it is published, and asks where the instances listen', () => {
    const text = file('haproxy/haproxy.cfg');
    const binds = [...text.matchAll(/^\s*bind :(\d+)/gm)].map(([, port]) => port);
    const published = compose.services.haproxy?.ports?.map((port) => port.split(':').at(-1)) ?? [];
    expect(binds).toEqual(expect.arrayContaining(published));
    const servers = [...text.matchAll(/^\s*server (\S+) (\S+):(\d+)$/gm)].map(([, ...rest]) => rest);
    const serving = processes.filter(([, { ROLE }]) => ROLE === 'serve');
    const all = serving.map(([name, { PORT }]) => [name, name, PORT]);
    // Once for those that are ready, once for those that are alive.
    expect(servers).toEqual([...all, ...all]);
    const grace = Number(/^\s*hard-stop-after (\d+)s$/m.exec(text)?.[1]);
    expect(grace).toBeGreaterThan(10);
  });
});

describe('what watches', () => {
  const configured = ['prometheus', 'alertmanager'].flatMap((name) =>
    globSync(`${OPS}${name}/**/*.yml`)
      .filter((path) => !path.includes('/tests/'))
      .map((path) => ({ name, text: readFileSync(path, 'utf8').replace(/^\s*#.*$/gm, '') })),
  );

  /** Where a service listens: as its health check has it, or HAProxy. */
  const portsOf = (name: string): string[] => {
    const check = compose.services[name]?.healthcheck?.test?.join(' ') ?? '';
    const checked = [...check.matchAll(/127\.0\.0\.1[:/](\d+)/g)].map(([, port = '']) => port);
    const bound = [...file('haproxy/haproxy.cfg').matchAll(/^\s*bind :(\d+)/gm)].map(([, port = '']) => port);
    return name === 'haproxy' ? [...checked, ...bound] : checked;
  };

  test('asks services at ports where they listen, on a network that both are on', () => {
    const targets = configured.flatMap(({ name, text }) =>
      [...text.matchAll(/\b([a-z][a-z0-9-]*):(\d{4,5})\b/g)].map(([, host = '', port = '']) => ({
        name,
        host,
        port,
      })),
    );
    expect(targets.map(({ host }) => host)).toEqual(
      expect.arrayContaining([
        'app-1',
        'app-2',
        'worker',
        'alertmanager',
        'blackbox-exporter',
        'node-exporter',
      ]),
    );
    const wrong = targets.filter(({ name, host, port }) => {
      const shared = compose.services[host]?.networks?.filter((network) =>
        compose.services[name]?.networks?.includes(network),
      );
      return !portsOf(host).includes(port) || shared?.length === 0;
    });
    expect(wrong).toEqual([]);
  });

  test('has the secrets that it reads', () => {
    const read = configured.flatMap(({ name, text }) =>
      [...text.matchAll(/\/run\/secrets\/(\w+)/g)].map(([, secret = '']) => ({ name, secret })),
    );
    expect(read).toContainEqual({ name: 'prometheus', secret: 'metrics_token' });
    expect(read.filter(({ name, secret }) => !compose.services[name]?.secrets?.includes(secret))).toEqual([]);
  });
});

test('every setting in ops/postgres/postgresql.conf is one of Postgres', async () => {
  const settings = [...file('postgres/postgresql.conf').matchAll(/^(\w+) = (.+)$/gm)];
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  try {
    const { rows } = await client.query<{ name: string }>('select name from pg_settings');
    const known = new Set(rows.map(({ name }) => name.toLowerCase()));
    expect(settings.length).toBeGreaterThan(5);
    expect(settings.map(([, name = '']) => name).filter((name) => !known.has(name))).toEqual([]);
  } finally {
    await client.end();
  }
  expect(Object.fromEntries(settings.map(([, name, value]) => [name, value]))).toMatchObject({
    log_min_duration_statement: '1000',
    max_connections: '100',
  });
});

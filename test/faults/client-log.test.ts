import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { Command, OF_NODE, type Finish } from '../support/process.ts';
import { exchange } from '../support/raw.ts';
import { environmentOn, PRODUCTION } from '../support/service.ts';
import { startUpstream } from '../support/upstream.ts';

/** Whatever a terminal or a reader of lines could be fooled by, but for the end of a line. */
const CONTROL = /(?!\n)[\p{Cc}\u2028\u2029]/u;
const FORGED = '{"level":60,"msg":"forged"}';
const MOST = 2_000;

/** What is sent in a header, as bytes. */
const HEADER_VALUES = [
  `a\u0085${FORGED}`,
  `\u009b31m${FORGED}`,
  '\u009d0;title\u009c',
  `\t${FORGED}`,
  Buffer.from('\u2028forged\u2029').toString('latin1'),
  Buffer.from('\u202eforged').toString('latin1'),
  '%0d%0a%1b[31mforged',
  '\\n\\u001b[31mforged',
  `"},${FORGED}`,
  '{{msg}}%s%d%j%o ${forged}',
  'x'.repeat(7_500),
];
/** What ends the line of a header, or is no header at all. */
const BROKEN_VALUES = [
  `a\n${FORGED}`,
  `a\r\n${FORGED}`,
  `a\r\n forged`,
  '\u001b[31mforged',
  'a\0b',
  'x'.repeat(100_000),
];
/** What is sent in a path or a query. */
const TARGETS = [
  '%0a{"level":60}',
  '%0d%0aforged',
  '%1b[31mforged%1b[0m',
  '%c2%9b31mforged',
  '%e2%80%a8forged',
  '%00',
  '%s%d%j%o',
  '"forged',
  '\\nforged',
  '\u001b[31mforged',
  '\u009b31mforged',
  `\n${FORGED}`,
  'x'.repeat(7_500),
  'x'.repeat(100_000),
];

/** Everything at once, and how many of them can be read as requests. */
function requests(): string[] {
  const lines = TARGETS.flatMap((text) => [
    `/${text}`,
    `/v1/models/openai/${text}`,
    `/v1/models?search=${text}`,
  ]);
  const admin = ['GET /v1/admin/sync/history', 'POST /v1/admin/sync', 'GET /trpc/admin.sync.history'];
  const values = [...HEADER_VALUES, ...BROKEN_VALUES];
  return [
    ...lines.map((target) => `GET ${target} HTTP/1.1\r\nHost: x\r\n\r\n`),
    ...['User-Agent', 'X-Request-Id', 'X-Forwarded-For', 'X-Admin', 'Host', 'Referer', 'Cookie'].flatMap(
      (name) =>
        values.flatMap((value) =>
          ['GET /nothing', ...admin].map((line) => {
            const host = name === 'Host' ? '' : 'Host: x\r\n';
            const secret = name === 'X-Admin' ? '' : 'X-Admin: wrong\r\n';
            return `${line} HTTP/1.1\r\n${host}${secret}${name}: ${value}\r\n\r\n`;
          }),
        ),
    ),
    ...TARGETS.map((method) => `${method} / HTTP/1.1\r\nHost: x\r\n\r\n`),
  ];
}

const SAID = 'a\u001b[31mb\u009b31mc\u0085d\u2028e\r\b\u007ff\\u001b';

/** Everything that a line can be made of, by the log of a process of its own. */
function written(readable: boolean): string {
  const program = `
    import { createLogger } from ${JSON.stringify(new URL('../../server/log.ts', import.meta.url).href)};
    const text = ${JSON.stringify(SAID)};
    const logger = createLogger({ level: 'info', readable: ${readable} });
    logger.info({ field: text, long: 'x'.repeat(100_000) }, text + '\\n' + ${JSON.stringify(FORGED)});
    logger.warn({ err: new Error(text), requestId: 'r1' }, 'Trouble');
    logger.info({ field: text });`;
  const { stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', program], {
    encoding: 'utf8',
    env: OF_NODE,
  });
  expect(stderr).toBe('');
  return stdout;
}

test('C33c whatever is logged, a machine reads it as it was, but no more than it should have to', () => {
  const lines = written(false).split('\n').filter(Boolean);
  expect(lines.filter((line) => CONTROL.test(line) || line.length > MOST)).toEqual([]);
  const [first, second, third] = lines.map((line) => JSON.parse(line) as Record<string, string>);
  expect([lines.length, third?.field]).toEqual([3, SAID]);
  expect(first).toMatchObject({ field: SAID, msg: `${SAID}\n${FORGED}`, long: `${'x'.repeat(500)}…` });
  expect(second).toMatchObject({ err: { message: SAID }, msg: 'Trouble' });
});

test('C33c whatever is logged, people read one line of it, and their terminal does nothing', () => {
  const lines = written(true).split('\n').filter(Boolean);
  expect(lines.filter((line) => CONTROL.test(line) || line.length > MOST)).toEqual([]);
  const told = lines.filter((line) => /^\S/.test(line));
  expect(told.map((line) => line.replace(/^\[[\d:]+\] /, ''))).toEqual([
    `INFO: a\\u001b[31mb\\u009b31mc\\u0085d\\u2028e\\r\\b\\u007ff\\u001b\\n${FORGED}`,
    'WARN: Trouble (request r1)',
    'INFO: ',
  ]);
});

describe.each([
  ['start', 'C33a', 'of JSON lines'],
  ['dev', 'C33b', 'for people'],
] as const)('the log of `npm run %s`', (command, row, kind) => {
  let service: Command;
  let port: number;
  const endings: Parameters<Finish>[0][] = [];
  const atTheEnd: Finish = (work) => void endings.unshift(work);

  beforeAll(async () => {
    const upstream = await startUpstream();
    atTheEnd(() => upstream.close());
    const environment = {
      ...(await environmentOn(upstream, DATABASES[0], atTheEnd)),
      ...(command === 'start' ? PRODUCTION : {}),
      LOG_LEVEL: 'debug',
      TRUSTED_PROXIES: '127.0.0.1',
    };
    service = new Command(command, environment, [], { finish: atTheEnd });
    port = Number(new URL(await service.url()).port);
  });
  afterAll(async () => {
    for (const end of endings) await end();
  });

  test(`${row} a log ${kind} has a line for each request, whatever is in it`, async () => {
    const before = service.output.length;
    const sent = requests();
    for (let index = 0; index < sent.length; index += 20)
      await Promise.all(
        sent.slice(index, index + 20).map(async (text) => {
          const { statuses } = await exchange(port, Buffer.from(text, 'latin1'), 50);
          for (const status of statuses) expect([200, 400, 401, 404, 405, 429, 431, 503]).toContain(status);
        }),
      );
    await fetch(`http://127.0.0.1:${port}/last`);
    await service.says(/GET \/last 404/);
    const lines = service.output.slice(before).split('\n').filter(Boolean);
    expect(lines.length).toBeGreaterThan(sent.length / 2);
    for (const line of lines) {
      expect(line).not.toMatch(CONTROL);
      expect(line.length, line.slice(0, 200)).toBeLessThan(MOST);
      if (command === 'start') {
        const { level, time, msg, status } = JSON.parse(line) as Record<string, unknown>;
        expect([typeof level, typeof time, typeof msg]).toEqual(['number', 'number', 'string']);
        // Where the machine has more to do than it can, requests are refused, and that is an error.
        expect(status === 503 ? [50] : [20, 30, 40]).toContain(level);
      } else expect(line).toMatch(/^\[\d\d:\d\d:\d\d\] (DEBUG|INFO|WARN|ERROR): /);
    }
    expect(await service.end('SIGTERM')).toBe(0);
  });
});

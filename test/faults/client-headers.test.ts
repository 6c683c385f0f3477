import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Problem } from '../../contracts/errors.ts';
import { bodyOf, sendRaw, sendTarget, statusOf } from '../support/raw.ts';
import { startTarget, type Target } from './support/target.ts';

let target: Target;
beforeAll(async () => {
  target = await startTarget();
});
afterAll(async () => {
  expect(target.app.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  await target.close();
});

const PROBLEM = /^content-type: application\/problem\+json; charset=utf-8\r$/im;
const many = (count: number, header = 'a:b') => Array(count).fill(header).join('\r\n');
const ask = (header: string, line = 'GET /v1/status') =>
  sendRaw(
    target.port,
    Buffer.from(`${line} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n${header}\r\n\r\n`, 'latin1'),
  );

describe('C12 what is no header', () => {
  test.each<[what: string, header: string]>([
    ['a line feed', 'X: a\nSet-Cookie: b'],
    ['a carriage return', 'X: a\rSet-Cookie: b'],
    ['NUL', 'X: a\0b'],
    ['NUL in a name', 'X\0: a'],
    ['another control character', 'X: \u0001'],
    ['an escape', 'X: \u001b[31m'],
    ['a delete', 'X: \u007f'],
    ['a folded line', 'X: a\r\n b'],
    ['a line folded by a tab', 'X: a\r\n\tb'],
    ['a folded name', 'X\r\n: a'],
    ['a space before the first', ' X: a'],
    ['a space before the colon', 'X : a'],
    ['a space in a name', 'X Y: a'],
    ['a name of other letters', 'X\u00e9: a'],
    ['a name in parentheses', '(X): a'],
    ['no name', ': a'],
    ['no colon', 'X'],
  ])('C12a %s: 400', async (_, header) => {
    for (const line of ['GET /v1/status', 'POST /v1/resolve', 'GET /trpc/health.get', 'GET /nothing']) {
      const answer = await ask(header, line);
      expect(statusOf(answer)).toBe(400);
      expect(answer).toMatch(PROBLEM);
      expect(Problem.strict().parse(bodyOf(answer)).code).toBe('BAD_REQUEST');
      expect(answer).toMatch(/^connection: close\r$/im);
      expect(answer).not.toMatch(/^set-cookie/im);
    }
    expect((await target.app.get('/health/live')).status).toBe(200);
  });

  test.each<[what: string, header: string]>([
    ['a value of 20 KB', `X: ${'a'.repeat(20_000)}`],
    ['a name of 20 KB', `${'a'.repeat(20_000)}: x`],
    ['values of 20 KB together', many(20, `X: ${'a'.repeat(1_000)}`)],
    ['values of 9 KB together', many(9, `X: ${'a'.repeat(1_000)}`)],
    ['1,000 within 8 KiB', many(1_000)],
    ['1,000 that are empty', many(1_000, 'a:')],
    ['1,000 of different names', Array.from({ length: 1_000 }, (__, n) => `${n}:`).join('\r\n')],
    ['200', many(200)],
    ['101 with Host and Connection', many(99)],
    ['cookies', many(150, 'cookie: a=b')],
  ])('C12b too many or too large, %s: 431', async (_, header) => {
    for (const line of ['GET /v1/status', 'POST /v1/resolve', 'GET /nothing', 'GET /health']) {
      const answer = await ask(header, line);
      expect(statusOf(answer), line).toBe(431);
      expect(answer).toMatch(PROBLEM);
      expect(Problem.strict().parse(bodyOf(answer)).status).toBe(431);
    }
    expect((await target.app.get('/health/live')).status).toBe(200);
  });

  test('C12b a hundred are not too many', async () => {
    expect(statusOf(await ask(many(98)))).toBe(200);
  });

  test.each(['200-ok', 'x', ''])(
    'C12c an expectation that nobody has, "%s": a problem, or an answer without it',
    async (expectation) => {
      for (const line of ['GET /v1/status', 'GET /nothing']) {
        const answer = await ask(`Expect: ${expectation}`, line);
        expect([200, 400, 404, 417]).toContain(statusOf(answer));
        expect(answer).toMatch(statusOf(answer) === 200 ? /^content-type: application\/json/im : PROBLEM);
        expect(answer).toMatch(/^x-request-id: [\w-]+\r$/im);
      }
    },
  );
});

describe('C12 what is encoded', () => {
  const BREAKS = ['%0d%0a', '%0a', '%0d', '%00', '%E5%98%8A%E5%98%8D', '%250d%250a', '%e2%80%a8', '%1b[31m'];

  test.each(BREAKS)('C12d makes no header of an answer: %s', async (broken) => {
    const injected = `${broken}X-Injected:%20y${broken}${broken}%3Cscript%3E`;
    for (const at of [
      `/${injected}`,
      `/docs/${injected}`,
      `/docs${injected}`,
      `/v1/models/openai/${injected}`,
      `/v1/models/${injected}/gpt-5-mini/offers`,
      `/v1/resolve?id=${injected}`,
      `/v1/models?search=${injected}`,
      `/v1/models?sort=${injected}`,
      `/v1/models?${injected}=1`,
      `/v1/changes.atom?since=${injected}`,
      `/v1/admin/sync/${injected}`,
      `/trpc/${injected}`,
      `/trpc/health.get?input=${injected}`,
    ]) {
      const answer = await sendTarget(target.port, at, { headers: `x-request-id: a${injected}\r\n` });
      expect([200, 400, 401, 404], at).toContain(statusOf(answer));
      const [head = ''] = answer.split('\r\n\r\n');
      expect(answer).not.toMatch(/[\r\n]x-injected/i);
      expect(head).not.toMatch(/[^\x20-\x7e\r\n]|x-request-id: a%|script/);
      expect(head).toMatch(/^content-type: (?!text\/html)/im);
    }
  });
});

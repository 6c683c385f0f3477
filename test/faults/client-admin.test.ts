import { describe, expect, test } from 'vitest';
import { api } from '../../contracts/index.ts';
import { operationsOf } from '../../contracts/operation.ts';
import { startEdge, type Edge } from '../http/edge.ts';
import { sendTarget, statusOf } from '../support/raw.ts';
import { spellingsOf } from '../support/spellings.ts';

const ADMIN = [...operationsOf(api)].filter(([, { admin }]) => admin);
const pathOf = (path: string) => path.replaceAll(/\{\w+\}/g, 'sync_1');

/** Sends a request line as it is, each from an address of its own, with what opens no door in production. */
async function ask(edge: Edge, method: string, target: string, number: number): Promise<number> {
  const json = method === 'POST' ? 'Content-Type: application/json\r\nContent-Length: 0\r\n' : '';
  const headers = `X-Forwarded-For: 203.0.${number >> 8}.${number & 255}\r\nx-admin: true\r\n${json}`;
  return statusOf(await sendTarget(edge.port, target, { method, headers }));
}

const start = () => startEdge({ trustedProxies: ['127.0.0.1'] });
const untouched = ({ calls, recorded }: Edge) => expect([calls, recorded]).toEqual([[], []]);

describe('C9 an admin operation is closed', () => {
  test.each(ADMIN)('C9a %s, however its path is spelled', async (_, { method, path }) => {
    const edge = await start();
    const canonical = pathOf(path);
    const spellings = spellingsOf(canonical, `127.0.0.1:${edge.port}`);
    expect(new Set(spellings).size).toBeGreaterThanOrEqual(40);
    expect(spellings).not.toContain(canonical);
    expect(await ask(edge, method, canonical, 0)).toBe(401);
    expect(await ask(edge, method, `${canonical}?`, 1)).toBe(401);
    expect(await ask(edge, method, `${canonical}?x-admin=true&admin=true`, 2)).toBe(401);
    for (const [index, spelling] of spellings.entries()) {
      const status = await ask(edge, method, spelling, index + 3);
      expect([400, 401, 404], `${method} ${spelling} is ${status}`).toContain(status);
    }
    untouched(edge);
  });

  test.each(ADMIN)('C9b %s, by any method', async (_, { method, path }) => {
    const edge = await start();
    const methods = [
      'GET',
      'HEAD',
      'POST',
      'PUT',
      'PATCH',
      'DELETE',
      'OPTIONS',
      'TRACE',
      'get',
      'post',
      'QUERY',
    ];
    for (const [index, other] of methods.entries()) {
      const status = await ask(edge, other, pathOf(path), index);
      const isOwn = other === method || (method === 'GET' && other === 'HEAD');
      if (isOwn) expect(status).toBe(401);
      else expect([400, 401, 404, 405], `${other} ${path} is ${status}`).toContain(status);
    }
    untouched(edge);
  });

  test.each(ADMIN)('C9c %s by tRPC, however it is named, alone and in a batch', async (name, { method }) => {
    const edge = await start();
    const [first = ''] = name;
    const names = [
      name,
      `${name}?batch=1`,
      `${name}?batch=1&input=%7B%7D`,
      `${name},${name}?batch=1`,
      `%${first.charCodeAt(0).toString(16)}${name.slice(1)}`,
      name.replaceAll('.', '%2e'),
      name.toUpperCase(),
      `${name}/`,
      `/${name}`,
      `./${name}`,
      `x/../${name}`,
      `%2e%2e/trpc/${name}`,
      name.replaceAll('.', '/'),
      name.replaceAll('.', '..'),
      `${name}%00`,
      `${name}%20`,
      `__proto__.${name}`,
      `${name}.constructor`,
    ];
    for (const [index, target] of names.entries()) {
      const status = await ask(edge, method, `/trpc/${target}`, index);
      expect([400, 401, 404], `${method} /trpc/${target} is ${status}`).toContain(status);
    }
    expect(await ask(edge, method, `/trpc/${name}`, 100)).toBe(401);
    const beside = method === 'GET' ? 'health.get' : 'resolve.many';
    const mixed = await fetch(`${edge.url}/trpc/${beside},${name}?batch=1`, {
      method,
      headers: { 'x-admin': 'true', 'content-type': 'application/json' },
      ...(method === 'GET' ? {} : { body: '{"0":{"ids":[{"id":"x"}]}}' }),
    });
    expect(mixed.status).toBe(207);
    expect(await mixed.json()).toMatchObject([{ result: {} }, { error: { data: { status: 401 } } }]);
    untouched(edge);
  });
});

import { beforeAll, afterAll, describe, expect, test } from 'vitest';
import { startEdge, type Edge } from '../http/edge.ts';
import { postJson } from './support/operations.ts';

let edge: Edge;
const endings: (() => Promise<void>)[] = [];
beforeAll(async () => {
  edge = await startEdge({ finish: (end) => void endings.push(end as () => Promise<void>) });
});
afterAll(async () => {
  for (const end of endings) await end();
});

test.each([
  'x=1',
  'limit=5',
  '__proto__=1',
  'constructor=1',
  'toString=1',
  'Input=%7B%7D',
  'input[]=%7B%7D',
  'input=%7B%7D&input=%7B%22limit%22%3A1%7D',
  'batch=1&batch=1&input=%7B%7D',
])('C1c a tRPC call takes nothing beside its input: %s', async (query) => {
  const answer = await fetch(`${edge.url}/trpc/models.list?${query}`);
  expect(answer.status).toBe(400);
  expect(await answer.json()).toMatchObject({ error: { data: { status: 400, code: 'BAD_REQUEST' } } });
});

/** Bytes within a JSON text that are no UTF-8. */
const BYTES = ['ff', '80', 'c0af', 'c080', 'e080af', 'eda080', 'edb080', 'e282', 'f4908080', 'f5808080'];

describe('C8g bytes that are no text are refused', () => {
  test.each(['/v1/resolve', '/trpc/resolve.many'])('C8g in the body of %s', async (path) => {
    for (const bytes of BYTES) {
      const body = Buffer.concat([
        Buffer.from('{"ids":[{"id":"a'),
        Buffer.from(bytes, 'hex'),
        Buffer.from('"}]}'),
      ]);
      const answer = await postJson(edge.url + path, new Uint8Array(body));
      expect([bytes, answer.status]).toEqual([bytes, 400]);
    }
  });

  test('C8h in the input of a tRPC query', async () => {
    for (const bytes of [...BYTES, '00']) {
      const escaped = bytes.replaceAll(/../g, '%$&');
      const answer = await fetch(`${edge.url}/trpc/models.list?input=%7B%22search%22:%22a${escaped}%22%7D`);
      expect([bytes, answer.status]).toEqual([bytes, 400]);
    }
    expect((await fetch(`${edge.url}/trpc/models.list?input=%7B%22search%22:%22%%22%7D`)).status).toBe(400);
  });
});

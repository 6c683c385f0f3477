import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { isCronExpression, schedule, type Schedule } from '../server/scheduler.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** What `npm start` runs by. */
const EVERY_TWO_HOURS = '0 */2 * * *';

describe('a schedule', () => {
  const started: Schedule[] = [];
  const errors: unknown[] = [];

  beforeEach(() => {
    vi.useFakeTimers({ now: new Date('2026-07-01T00:30:00.000Z') });
  });

  afterEach(() => {
    for (const each of started.splice(0)) each.stop();
    errors.length = 0;
    vi.useRealTimers();
  });

  function start(expression: string | null, work: (() => Promise<void>) | null): Schedule {
    const own = schedule(expression, work, (error) => errors.push(error));
    started.push(own);
    return own;
  }

  /** Work that ends at once, and the times at which it began. */
  function recorder(): { times: string[]; work: () => Promise<void> } {
    const times: string[] = [];
    return {
      times,
      work: async () => {
        times.push(new Date().toISOString().slice(0, 16));
      },
    };
  }

  test('runs every two hours, on the hour', async () => {
    const { times, work } = recorder();
    const { nextAt } = start(EVERY_TWO_HOURS, work);
    expect(nextAt()?.toISOString()).toBe('2026-07-01T02:00:00.000Z');
    await vi.advanceTimersByTimeAsync(89 * MINUTE_MS);
    expect(times).toEqual([]);
    await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
    const hours = ['02', '04', '06', '08', '10', '12', '14', '16', '18', '20', '22'];
    expect(times).toEqual([...hours.map((hour) => `2026-07-01T${hour}:00`), '2026-07-02T00:00']);
    expect(nextAt()?.toISOString()).toBe('2026-07-02T02:00:00.000Z');
  });

  test('without work says when others run it, and runs nothing', async () => {
    const { nextAt, intervalMs } = start(EVERY_TWO_HOURS, null);
    expect([nextAt()?.toISOString(), intervalMs()]).toEqual(['2026-07-01T02:00:00.000Z', 2 * HOUR_MS]);
    await vi.advanceTimersByTimeAsync(3 * HOUR_MS);
    expect([nextAt()?.toISOString(), errors]).toEqual(['2026-07-01T04:00:00.000Z', []]);
  });

  test('reads the expression in UTC, wherever the machine is', async () => {
    const zone = process.env.TZ;
    process.env.TZ = 'Asia/Kolkata';
    try {
      expect(new Date().getHours()).toBe(6);
      const { times, work } = recorder();
      start('15 4 * * *', work);
      await vi.advanceTimersByTimeAsync(24 * HOUR_MS);
      expect(times).toEqual(['2026-07-01T04:15']);
    } finally {
      if (zone === undefined) delete process.env.TZ;
      else process.env.TZ = zone;
    }
  });

  test('never runs twice at once, and goes on after a long run', async () => {
    let running = 0;
    let most = 0;
    let runs = 0;
    start('* * * * *', async () => {
      running += 1;
      runs += 1;
      most = Math.max(most, running);
      await new Promise((resolve) => setTimeout(resolve, 2.5 * MINUTE_MS));
      running -= 1;
    });
    await vi.advanceTimersByTimeAsync(30 * MINUTE_MS);
    expect(most).toBe(1);
    expect(runs).toBeGreaterThanOrEqual(9);
    expect(runs).toBeLessThanOrEqual(12);
  });

  test('reports what its work throws, and goes on', async () => {
    let runs = 0;
    start('0 * * * *', async () => {
      runs += 1;
      if (runs === 1) throw new Error('the first');
      if (runs === 2) await Promise.reject(new Error('the second'));
    });
    await vi.advanceTimersByTimeAsync(3 * HOUR_MS);
    expect(runs).toBe(3);
    expect(errors.map(String)).toEqual(['Error: the first', 'Error: the second']);
  });

  test('ends when it is stopped', async () => {
    const { times, work } = recorder();
    const { nextAt, stop } = start('0 * * * *', work);
    await vi.advanceTimersByTimeAsync(HOUR_MS);
    stop();
    await vi.advanceTimersByTimeAsync(10 * HOUR_MS);
    expect(times).toEqual(['2026-07-01T01:00']);
    expect(nextAt()).toBeNull();
  });

  test('of nothing never runs', async () => {
    const { times, work } = recorder();
    const { nextAt, stop } = start(null, work);
    expect(nextAt()).toBeNull();
    await vi.advanceTimersByTimeAsync(400 * 24 * HOUR_MS);
    expect(times).toEqual([]);
    expect(vi.getTimerCount()).toBe(0);
    stop();
  });

  test('does not keep the process alive', () => {
    vi.useRealTimers();
    const timers = () => process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length;
    const before = timers();
    start('* * * * *', () => sleep(0));
    expect(timers()).toBe(before);
  });

  test.each(['', 'every two hours', '61 * * * *', '* * 32 * *', '* *', '0 */2 * * * * * *', '0 0 * * mo-xx'])(
    '%j is no cron expression',
    (expression) => {
      expect(isCronExpression(expression)).toBe(false);
      expect(vi.getTimerCount()).toBe(0);
    },
  );

  test.each(['0 */2 * * *', '*/15 * * * *', '30 0 */2 * * *', '0 4 * * mon'])('%j is one', (expression) => {
    expect(isCronExpression(expression)).toBe(true);
    expect(vi.getTimerCount()).toBe(0);
  });
});

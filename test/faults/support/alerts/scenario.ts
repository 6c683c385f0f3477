import { describe, expect, test } from 'vitest';
import { ALERTS } from '../../../support/alert-rules.ts';
import { expectAlerts, expectNoOthers } from './expected.ts';
import { canMonitor, type Monitors } from './monitors.ts';
import { SCENARIOS, type Scenario } from './scenarios.ts';

/** Whether every scenario is gone through, which takes minutes: `FAULT_ALERTS=all`. Otherwise the first is. */
export const ALL_ALERTS = process.env.FAULT_ALERTS === 'all';

/** Longer than the slowest scenario takes on a slow machine. */
export const SCENARIO_TIMEOUT_MS = 10 * 60_000;

/** Waits until alerts of a scenario have met their fates. */
export type Expects = (monitors: Monitors, ...names: string[]) => Promise<void>;

/** The scenario of a row. */
export function scenarioOf(row: string): Scenario {
  return SCENARIOS[row] ?? expect.unreachable(`There is no scenario ${row}`);
}

/** What alerts of a scenario are expected to meet, of the names given. */
export function fatesOf({ fires }: Scenario, names: string[]): Scenario['fires'] {
  return Object.fromEntries(
    names.map((name) => [name, fires[name] ?? expect.unreachable(`It is not about ${name}`)]),
  );
}

/**
 * Goes through a scenario: `work` starts a stack, brings about the fault, and calls `expects` with the stack and the names of what has
 * to fire by then. In the end everything has to have fired, and nothing else. Without `FAULT_ALERTS=all` its names alone are looked at.
 */
export function scenario(row: string, work: (expects: Expects) => Promise<Monitors>): void {
  const entry = scenarioOf(row);
  const { what, fires, may = [] } = entry;
  if (!ALL_ALERTS) {
    test(`${row} (${what}) is about alerts that exist`, () => {
      const known = new Set(ALERTS.map(({ alert }) => alert));
      expect([...Object.keys(fires), ...may].filter((name) => !known.has(name))).toEqual([]);
    });
    return;
  }
  describe.skipIf(!canMonitor && !process.env.CI)('alerts end to end', () => {
    test(`${row} ${what}`, { timeout: SCENARIO_TIMEOUT_MS }, async () => {
      const monitors = await work((watched, ...names) => expectAlerts(watched, fatesOf(entry, names)));
      await expectAlerts(monitors, fires);
      await expectNoOthers(monitors, [...Object.keys(fires), ...may]);
    });
  });
}

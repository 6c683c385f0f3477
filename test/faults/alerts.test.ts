import { globSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { ALERTS, RULE_FILES } from '../support/alert-rules.ts';
import { expectAlerts, expectNoOthers, expectNotTold, expectResolved } from './support/alerts/expected.ts';
import { canMonitor } from './support/alerts/monitors.ts';
import { SCENARIO_TIMEOUT_MS, scenarioOf } from './support/alerts/scenario.ts';
import { SCENARIOS } from './support/alerts/scenarios.ts';
import { FACTOR, LONGEST_WAIT_MS, shortenRules, writtenRules } from './support/alerts/shorten.ts';
import { startStack } from './support/alerts/stack.ts';
import { startTraffic, usual } from './support/alerts/traffic.ts';

describe('alerts end to end', () => {
  test.each(ALERTS)('A0-$alert fires in a scenario', ({ alert }) => {
    const rows = Object.entries(SCENARIOS).filter(([, { fires }]) => alert in fires);
    expect(rows.map(([row]) => row)).not.toEqual([]);
  });

  test('A0-all every scenario is gone through', () => {
    const folder = fileURLToPath(new URL('.', import.meta.url));
    const texts = globSync(`${folder}alerts*.test.ts`).map((path) => readFileSync(path, 'utf8'));
    const used = texts.flatMap((text) =>
      [...text.matchAll(/scenario(?:Of)?\('(A\d+)'/g)].map(([, row]) => row),
    );
    expect(used.toSorted()).toEqual(Object.keys(SCENARIOS).toSorted());
  });

  test('A0-times rules are made quick in their times alone', () => {
    const { files, changes } = shortenRules();
    const kinds = Object.groupBy(changes, ({ what }) => what);
    const counts = Object.entries(kinds).map(([what, of]) => `${of.length} ${what}`);
    console.log(
      `${FACTOR} times as fast, no wait above ${LONGEST_WAIT_MS / 1_000} s: ${counts.join(', ')}; ` +
        (kinds.threshold ?? []).map(({ where, from, to }) => `${where} ${from} is ${to}`).join(', '),
    );
    const timeless = (text: string) =>
      text.replaceAll(/(\[|for: |interval: )\w+/g, '$1').replaceAll(/> (3600|60|120|2)\b/g, '>');
    const plain = (all: typeof files) => all.map((file) => timeless(writtenRules(file)));
    expect(plain(files)).toEqual(plain(RULE_FILES));
  });
});

describe.skipIf(!canMonitor && !process.env.CI)('alerts, end to end', () => {
  const { what, fires, may = [] } = scenarioOf('A1');

  test(`A1 silent while all is well; ${what}`, { timeout: SCENARIO_TIMEOUT_MS }, async () => {
    const { monitors, postgres, service, finish } = await startStack();
    startTraffic(service.url, usual, { finish });
    await sleep(10_000);
    await expectNoOthers(monitors, []);

    await postgres.halt();
    await expectAlerts(monitors, fires);
    await postgres.start();
    await expectResolved(monitors, ['DatabaseDown']);
    expectNotTold(monitors, ['HealthUnavailable', ...may]);
    await expectNoOthers(monitors, [...Object.keys(fires), ...may]);
  });
});

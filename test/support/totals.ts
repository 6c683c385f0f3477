import { appendFileSync } from 'node:fs';
import type { Reporter, TestModule } from 'vitest/node';

/** Counts the tests of a run; under CI=true a skipped test is a failure, named. With TEST_TOTALS_FILE, the counts go there as one line. */
export default class Totals implements Reporter {
  onTestRunEnd(modules: readonly TestModule[]): void {
    const counts = { passed: 0, failed: 0, skipped: 0 };
    const skipped: string[] = [];
    for (const module of modules) {
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        if (state === 'pending') counts.failed += 1;
        else counts[state] += 1;
        if (state === 'skipped') skipped.push(`${module.relativeModuleId} > ${test.fullName}`);
      }
    }
    if (process.env.CI === 'true' && skipped.length > 0) {
      console.error(`Skipped, which fails under CI:\n${skipped.map((name) => `  ${name}`).join('\n')}`);
      process.exitCode = 1;
    }
    const { TEST_TOTALS_FILE: file } = process.env;
    const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
    if (file !== undefined) appendFileSync(file, line);
  }
}

import type { Reporter, TestModule } from 'vitest/node';

/** The row of the fault list that a test is about: the first word of its name. */
const ROW = /^[A-Z]\d+[a-z]?(-\S+)?$/;

/** Counts fault tests by name: the last line says how many of them were survived. A skipped test was not. */
export default class Survivors implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const tests = modules.flatMap((module) => [...module.children.allTests()]);
    const nameless = tests.filter(({ name }) => !ROW.test(name.split(' ')[0] ?? ''));
    for (const { fullName } of nameless) console.error(`Named after no row: ${fullName}`);
    const lost = tests.filter((test) => test.result().state !== 'passed');
    for (const test of lost) console.error(`Not survived (${test.result().state}): ${test.fullName}`);
    const broken = modules.filter((module) => !module.ok() && module.children.size === 0);
    for (const module of broken) console.error(`Could not be run: ${module.relativeModuleId}`);
    if (lost.length + nameless.length + broken.length + errors.length > 0 || tests.length === 0)
      process.exitCode = 1;
    const total = tests.length + broken.length;
    process.on('exit', () => console.log(`survived ${tests.length - lost.length} of ${total}`));
  }
}

import { readFileSync } from 'node:fs';
import { availableParallelism, totalmem } from 'node:os';
import { collectDefaultMetrics, Gauge, type Registry } from 'prom-client';

/** prom-client 15.1 names these gauges as if they were counters, which Prometheus's own linter turns down. */
const MISNAMED = [
  'nodejs_active_handles_total',
  'nodejs_active_requests_total',
  'nodejs_active_resources_total',
];

/** Registers what there is to say of the process itself, and of the limits that its container sets it. */
export function registerProcess(registry: Registry, version: string): void {
  collectDefaultMetrics({ register: registry });
  for (const name of MISNAMED) registry.removeSingleMetric(name);
  const registers = [registry];
  new Gauge({
    name: 'em_build_info',
    help: 'Version of the service; always 1',
    labelNames: ['version'],
    registers,
  }).set({ version }, 1);
  new Gauge({
    name: 'em_cpu_limit_cores',
    help: 'Cores that the process may use',
    registers,
  }).set(cpuLimit());
  new Gauge({
    name: 'em_memory_limit_bytes',
    help: 'Memory that the process may use before it is ended',
    registers,
  }).set(memoryLimit());
}

/** Limit of the container in bytes, or what the machine has. */
function memoryLimit(): number {
  const limit = process.constrainedMemory();
  return limit > 0 ? Math.min(limit, totalmem()) : totalmem();
}

/** Cores by the quota of the container (cgroup 2), or those of the machine. */
function cpuLimit(): number {
  try {
    const [quota, period] = readFileSync('/sys/fs/cgroup/cpu.max', 'utf8').trim().split(' ').map(Number);
    if (quota && period) return quota / period;
  } catch {
    // Not in a container with cgroup 2.
  }
  return availableParallelism();
}

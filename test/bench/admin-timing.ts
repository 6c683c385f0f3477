import { createHash, randomBytes, randomInt } from 'node:crypto';
import type { FastifyRequest } from 'fastify';
import { createAdminGate } from '../../server/http/admin.ts';

// Whether the time that a wrong admin secret is refused in says how wrong it is: Welch's t-test, as dudect does it, between guesses that
// agree with a secret but for their last character and random ones. Run by `npm run bench:admin-timing`; ends with 1 where a difference is seen. The machine should have nothing else to do.

const SAMPLES = Number(process.argv[2] ?? 100_000);
/** Beyond this, a difference is no chance. */
const THRESHOLD = 4.5;

const secret = randomBytes(32).toString('base64url');
const next = randomBytes(32).toString('base64url');
const hashOf = (text: string) => createHash('sha256').update(text).digest();

const gate = createAdminGate({
  world: 'production',
  secrets: [
    { name: 'ADMIN_SECRET', hash: hashOf(secret) },
    { name: 'ADMIN_SECRET_NEXT', hash: hashOf(next) },
  ],
  metricsTokenHash: null,
  // What is measured is the comparison: nobody is turned away before it.
  failures: { blocked: async () => null, isSpent: () => false, fail: async () => null },
  onRefused: () => {},
});

const requestOf = (presented: string) =>
  ({ headers: { 'x-admin': presented }, ip: '203.0.113.1', socket: {} }) as unknown as FastifyRequest;

const nearly = (text: string) => text.slice(0, -1) + (text.endsWith('A') ? 'B' : 'A');
const KINDS = {
  random: () => randomBytes(32).toString('base64url'),
  'ADMIN_SECRET but for its last character': () => nearly(secret),
  'ADMIN_SECRET_NEXT but for its last character': () => nearly(next),
};
type Kind = keyof typeof KINDS;

/** Samples of two kinds, in random order. All guesses are there before the first is measured: making them takes different times. */
async function sample(kinds: [Kind, Kind]): Promise<[number[], number[]]> {
  const guesses = Array.from({ length: SAMPLES }, () => {
    const which = randomInt(2) as 0 | 1;
    return { which, request: requestOf(Buffer.from(KINDS[kinds[which]]()).toString()) };
  });
  const samples: [number[], number[]] = [[], []];
  for (const { which, request } of guesses) {
    const began = process.hrtime.bigint();
    await gate.check(request).catch(() => {});
    samples[which].push(Number(process.hrtime.bigint() - began));
  }
  return samples;
}

function welch(one: number[], other: number[]): number {
  const [a, b] = [one, other].map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1);
    return { mean, error: variance / values.length };
  }) as [{ mean: number; error: number }, { mean: number; error: number }];
  return (a.mean - b.mean) / Math.sqrt(a.error + b.error);
}

/** The largest t of all samples and of those below several percentiles: pauses of the machine hide what is small. */
function largest([one, other]: [number[], number[]]): number {
  const all = [...one, ...other].toSorted((a, b) => a - b);
  const limits = [0.5, 0.8, 0.9, 0.95, 0.99, 1].map((share) => all[Math.ceil(share * all.length) - 1] ?? 0);
  const below = (values: number[], limit: number) => values.filter((value) => value <= limit);
  const values = limits.map((limit) => welch(below(one, limit), below(other, limit)));
  return values.reduce((most, value) => (Math.abs(value) > Math.abs(most) ? value : most), 0);
}

await sample(['random', 'random']);
let signal = false;
for (const kind of Object.keys(KINDS) as Kind[]) {
  const t = largest(await sample(['random', kind]));
  signal ||= Math.abs(t) > THRESHOLD;
  console.log(`t = ${t.toFixed(2).padStart(6)}  random against ${kind}`);
}
console.log(
  `${SAMPLES} samples a pair; a difference is seen beyond ${THRESHOLD}: ${signal ? 'there is one' : 'there is none'}.`,
);
process.exitCode = signal ? 1 : 0;

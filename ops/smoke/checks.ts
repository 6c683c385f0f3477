/** How a check went: what is wrong, or what was seen. */
export interface SmokeResult {
  name: string;
  problem: string | null;
  note: string;
}

/** What is looked at. */
export interface SmokeOptions {
  /** Where the service is, without a slash at the end. */
  url: string;
  /** Which version it has to be; null: any. */
  version: string | null;
  /** null: what needs it is left out. */
  adminSecret: string | null;
}

const TIMEOUT_MS = 5_000;
/** How often the version is asked for: behind a balancer each answer may be of another instance. */
const ASKED = 8;

interface Answer {
  status: number;
  body: Record<string, unknown>;
  ms: number;
}

/** Looks whether a service does what it is for; every check is made, whatever the others say. */
export async function smoke({ url, version, adminSecret }: SmokeOptions): Promise<SmokeResult[]> {
  const ask = async (path: string, headers: Record<string, string> = {}): Promise<Answer> => {
    const startedAt = performance.now();
    const response = await fetch(url + path, {
      headers: { connection: 'close', ...headers },
      signal: AbortSignal.timeout(TIMEOUT_MS),
      redirect: 'error',
    });
    const text = await response.text();
    const isJson = /json/.test(response.headers.get('content-type') ?? '');
    return {
      status: response.status,
      body: isJson ? (JSON.parse(text) as Answer['body']) : {},
      ms: Math.round(performance.now() - startedAt),
    };
  };
  const expectOk = async (path: string, headers?: Record<string, string>): Promise<Answer> => {
    const answer = await ask(path, headers);
    if (answer.status !== 200) throw new Error(`answered ${answer.status}, not 200`);
    return answer;
  };

  const checks: [name: string, check: () => Promise<string>][] = [
    [
      'health',
      async () => {
        const { body, ms } = await expectOk('/health');
        return `${String(body.status)} (${ms} ms)`;
      },
    ],
    [
      'version',
      async () => {
        const seen = new Set<string>();
        for (let asked = 0; asked < ASKED; asked += 1)
          seen.add(String((await expectOk('/health')).body.version));
        const all = [...seen].join(', ');
        if (version !== null && all !== version) throw new Error(`instances are ${all}, not ${version}`);
        return all;
      },
    ],
    ['readiness', async () => `${(await expectOk('/health/ready')).ms} ms`],
    [
      'models',
      async () => {
        const { body, ms } = await expectOk('/v1/models?limit=1');
        const [first] = body.data as { id: string }[];
        if (first === undefined) throw new Error('the catalogue is empty: sync it');
        return `${first.id} is the first of ${String((body.meta as { total?: number }).total)} (${ms} ms)`;
      },
    ],
    ['document', async () => `OpenAPI ${String((await expectOk('/openapi.json')).body.openapi)}`],
    [
      'strangers',
      async () => {
        const { status } = await ask('/v1/admin/sync/history?limit=1');
        if (status !== 401)
          throw new Error(`the history of syncs answered ${status} without a secret, not 401`);
        const metrics = await ask('/metrics');
        if (metrics.status < 400) throw new Error(`/metrics answered ${metrics.status} without a token`);
        return 'are kept out of admin operations and figures';
      },
    ],
  ];
  if (adminSecret !== null)
    checks.push([
      'syncs',
      async () => {
        const { body } = await expectOk('/v1/admin/sync/history?limit=1', { 'x-admin': adminSecret });
        const [last] = body.data as { status: string; startedAt: string }[];
        if (last === undefined) throw new Error('there has been no sync yet');
        return `the last, of ${last.startedAt}: ${last.status}`;
      },
    ]);
  const results: SmokeResult[] = [];
  for (const [name, check] of checks) results.push(await outcomeOf(name, check));
  return results;
}

async function outcomeOf(name: string, check: () => Promise<string>): Promise<SmokeResult> {
  try {
    return { name, problem: null, note: await check() };
  } catch (error) {
    const { message, cause } = error as Error;
    const why = cause instanceof Error && cause.message !== '' ? cause.message : message;
    return { name, problem: why, note: '' };
  }
}

/** What of pg's pool and its clients is touched here. */
interface Client {
  _queryable: boolean;
  connection: {
    on(event: 'errorMessage', listener: (message: { code?: string }) => void): void;
    on(event: 'parameterStatus', listener: (status: ParameterStatus) => void): void;
  };
}

interface ParameterStatus {
  parameterName: string;
  parameterValue: string;
}

/** A pool whose connections can be renewed. */
export interface RenewablePool {
  Client: new (options: unknown) => Client;
  _idle: { client: Client }[];
  _remove(client: Client): void;
  on(event: 'release', listener: (error: unknown, client: Client) => void): void;
}

/** SQLSTATE of a server that takes no writes. */
const READ_ONLY = '25006';

/**
 * Makes what keeps the pools of a database together when the server behind its address changes: once a connection is told
 * that nothing can be written, or another tells whether it is a standby than those before, none made before is used again.
 * What is read from a former primary is of the past.
 */
export function createRenewal(): (pool: RenewablePool) => void {
  const pools: RenewablePool[] = [];
  const madeIn = new WeakMap<Client, number>();
  let generation = 0;
  let standby: string | null = null;
  const renew = () => {
    generation += 1;
    for (const pool of pools) for (const { client } of pool._idle.slice()) pool._remove(client);
  };
  const watch = (client: Client) => {
    madeIn.set(client, generation);
    client.connection.on('errorMessage', ({ code }) => {
      if (code === READ_ONLY) renew();
    });
    client.connection.on('parameterStatus', ({ parameterName, parameterValue }) => {
      if (parameterName !== 'in_hot_standby') return;
      if (standby !== null && standby !== parameterValue) renew();
      standby = parameterValue;
      madeIn.set(client, generation);
    });
  };
  return (pool) => {
    pools.push(pool);
    pool.Client = class extends pool.Client {
      constructor(options: unknown) {
        super(options);
        watch(this);
      }
    };
    // pg-pool ends a client that it finds so when it comes back.
    pool.on('release', (_error, client) => {
      if (madeIn.get(client) !== generation) client._queryable = false;
    });
  };
}

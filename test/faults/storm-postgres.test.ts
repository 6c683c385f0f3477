import { test } from 'vitest';
import { DATABASES } from '../support/databases.ts';
import { expectCalmAfterStorm, STORM_TIMEOUT_MS } from '../support/storm.ts';

test(
  'S3-storm-Postgres a sync is killed over and over at random instants',
  { timeout: STORM_TIMEOUT_MS },
  () => expectCalmAfterStorm(DATABASES[1]),
);

import { parseArgs } from 'node:util';
import { clearAnswers } from '../../server/cache/clear.ts';
import { OpsError, type OpsCommand } from '../command.ts';

/** `cache clear`: forgets the answers in Redis, and nothing else that is there. */
export const cacheClear: OpsCommand = {
  usage: '',
  summary: 'Forgets the answers kept in Redis, and leaves the counts of the rate limiter alone',
  async run({ service, print }, args) {
    parseArgs({ args });
    if (service.redisUrl === null)
      throw new OpsError(
        'nothing was forgotten: REDIS_URL is not set. Set it where the service has a Redis; without one each process keeps answers in its memory, and forgets them when it is restarted',
      );
    try {
      const cleared = await clearAnswers(service.redisUrl);
      print(`Forgot ${cleared} answers. They are made anew as they are asked for.`);
      return 0;
    } catch (error) {
      throw new OpsError(
        `Redis can not be used: ${(error as Error).message || 'no connection'}. Check that it runs, and REDIS_URL; restart it where it hangs, then try again. Answers come from the database until it is back`,
      );
    }
  },
};

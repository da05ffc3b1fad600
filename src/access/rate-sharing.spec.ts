import { setTimeout as delay } from 'node:timers/promises';
import type { CacheConnection } from '../cache/cache-connection.js';
import { RateLimiter } from './rate-limiter.js';
import { RateSharing } from './rate-sharing.js';

const RATE = { by: 'caller', perSecond: 100 } as const;

/** Uses half a second's rate, shares it with a Redis that answers so late, and gives what is left of a second's. */
async function leftAfter(latenessMs: number): Promise<number> {
  const limiter = new RateLimiter();
  const client = { isReady: true, eval: async () => delay(latenessMs, [500]) };
  const sharing = new RateSharing(limiter, { client } as unknown as CacheConnection);
  limiter.take('a caller', RATE, 50);
  await sharing.run();
  return limiter.take('a caller', RATE, 1).remaining;
}

it('what Redis tells late is paid for by as much as it is late', async () => {
  expect(await leftAfter(0)).toBeLessThan(60);
  expect(await leftAfter(600)).toBe(99);
});

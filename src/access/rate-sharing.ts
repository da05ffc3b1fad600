import { Injectable } from '@nestjs/common';
import { CacheConnection } from '../cache/cache-connection.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { RateLimiter } from './rate-limiter.js';

/** Callers of one call. */
const BATCH_SIZE = 500;

/** Adds what callers have used to what Redis knows, by its clock, and gives in how many milliseconds all of it is paid for. */
const ADD_USED = `
  local time = redis.call('TIME')
  local now = time[1] * 1000 + time[2] / 1000
  local after = {}
  for index, key in ipairs(KEYS) do
    local paid = math.max(now, tonumber(redis.call('GET', key) or 0)) + tonumber(ARGV[index])
    redis.call('SET', key, string.format('%.3f', paid), 'PX', math.ceil(paid - now) + 1)
    after[index] = math.ceil(paid - now)
  end
  return after`;

/**
 * Brings the limits of all processes together, a few times a second and in one call for hundreds of callers. No request waits for that: while
 * Redis is away or slow, each process counts for itself. Between two calls a caller may use its rate in each process, and what that is too
 * much it pays back after the next one.
 */
@Injectable()
export class RateSharing extends PeriodicTask {
  protected readonly intervalMs = 100;

  constructor(
    private readonly limiter: RateLimiter,
    private readonly cache: CacheConnection,
  ) {
    super();
  }

  async run(): Promise<number> {
    const used = this.limiter.takeUsed();
    for (let start = 0; start < used.length && this.cache.client.isReady; start += BATCH_SIZE) {
      await this.share(used.slice(start, start + BATCH_SIZE));
    }
    return 0;
  }

  private async share(used: readonly (readonly [string, number])[]): Promise<void> {
    const script = {
      keys: used.map(([caller]) => `rate:${caller}`),
      arguments: used.map(([, milliseconds]) => String(milliseconds)),
    };
    const begin = performance.now();
    const after = await this.cache.client.eval(ADD_USED, script);
    // Some of it has been paid for since Redis was asked; all of it, if that took long.
    const passed = performance.now() - begin;
    if (!Array.isArray(after)) throw new Error('Redis does not tell what callers have used');
    used.forEach(([caller], index) => this.limiter.heed(caller, Number(after[index]) - passed));
  }
}

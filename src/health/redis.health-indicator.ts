import { Injectable } from '@nestjs/common';
import { type HealthIndicatorResult, HealthIndicatorService } from '@nestjs/terminus';
import { CacheConnection } from '../cache/cache-connection.js';
import { QueueConnection } from '../queue/queue-connection.js';

/** Asks the two Redis roles for a sign of life. */
@Injectable()
export class RedisHealthIndicator {
  constructor(
    private readonly indicators: HealthIndicatorService,
    private readonly cache: CacheConnection,
    private readonly queue: QueueConnection,
  ) {}

  async pingCache(timeoutMs: number): Promise<HealthIndicatorResult<'cache'>> {
    return this.indicators
      .check('cache')
      .attempt(async () => {
        await this.cache.client.ping();
      })
      .withTimeout(timeoutMs);
  }

  async pingQueue(timeoutMs: number): Promise<HealthIndicatorResult<'queue'>> {
    return this.indicators
      .check('queue')
      .attempt(async () => {
        await this.queue.client.ping();
      })
      .withTimeout(timeoutMs);
  }
}

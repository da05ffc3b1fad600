import { Injectable } from '@nestjs/common';
import { CacheConnection } from '../cache/cache-connection.js';
import { ProductCache } from '../products/product-cache.js';
import { ApplicationError } from '../kernel/application-error.js';
import { withDeadline } from '../runtime/deadline.js';
import type { CacheStatisticsResponse } from './dto/cache-statistics.response.js';

const TIMEOUT_MS = 1_000;

class CacheUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'CACHE_UNAVAILABLE';

  constructor(cause: unknown) {
    super("The cache's Redis is not available; products are read from the database", { cause });
  }
}

@Injectable()
export class CacheStatisticsService {
  constructor(
    private readonly connection: CacheConnection,
    private readonly cache: ProductCache,
  ) {}

  /** @throws CacheUnavailableError when Redis does not answer within a second. */
  async read(): Promise<CacheStatisticsResponse> {
    const { client } = this.connection;
    const answer = withDeadline(Promise.all([client.info(), client.dbSize()]), TIMEOUT_MS);
    const [info, totalKeys] = await answer.catch((error: unknown) => {
      throw new CacheUnavailableError(error);
    });
    const { hits, misses } = this.cache;
    return {
      connected_clients: Number(fieldOf(info, 'connected_clients')),
      used_memory: Number(fieldOf(info, 'used_memory')),
      used_memory_human: fieldOf(info, 'used_memory_human'),
      total_keys: totalKeys,
      uptime_seconds: Number(fieldOf(info, 'uptime_in_seconds')),
      hits,
      misses,
      hit_rate: hits === 0 ? 0 : hits / (hits + misses),
    };
  }
}

/** A line of Redis's `INFO`: `name:value`. */
function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}

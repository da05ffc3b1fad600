import { Injectable } from '@nestjs/common';
import { CacheConnection } from '../cache/cache-connection.js';
import { ProductCache } from '../products/product-cache.js';
import { ApplicationError } from '../kernel/application-error.js';
import { withDeadline } from '../runtime/deadline.js';
import { shared } from '../runtime/shared.js';

const TIMEOUT_MS = 1_000;

class CacheUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'CACHE_UNAVAILABLE';

  constructor(cause: unknown) {
    super("The cache's Redis is not available; products are read from the database", { cause });
  }
}

export interface CacheStatistics {
  readonly connectedClients: number;
  /** In bytes. */
  readonly usedMemory: number;
  readonly usedMemoryHuman: string;
  readonly totalKeys: number;
  readonly uptimeSeconds: number;
  /** Cached reads of this process. */
  readonly hits: number;
  readonly misses: number;
  readonly hitRate: number;
}

@Injectable()
export class CacheStatisticsService {
  constructor(
    private readonly connection: CacheConnection,
    private readonly cache: ProductCache,
  ) {}

  /** Anybody may ask. */
  private readonly ask = shared(async () =>
    Promise.all([this.connection.client.info(), this.connection.client.dbSize()]),
  );

  /** @throws CacheUnavailableError when Redis does not answer within a second. */
  async read(): Promise<CacheStatistics> {
    const [info, totalKeys] = await withDeadline(this.ask(), TIMEOUT_MS).catch((error: unknown) => {
      throw new CacheUnavailableError(error);
    });
    const { hits, misses } = this.cache;
    return {
      connectedClients: Number(fieldOf(info, 'connected_clients')),
      usedMemory: Number(fieldOf(info, 'used_memory')),
      usedMemoryHuman: fieldOf(info, 'used_memory_human'),
      totalKeys,
      uptimeSeconds: Number(fieldOf(info, 'uptime_in_seconds')),
      hits,
      misses,
      hitRate: hits === 0 ? 0 : hits / (hits + misses),
    };
  }
}

/** A line of Redis's `INFO`: `name:value`. */
function fieldOf(info: string, name: string): string {
  return new RegExp(`^${name}:(.*?)\\r?$`, 'm').exec(info)?.[1] ?? '';
}

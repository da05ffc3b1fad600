import { randomUUID } from 'node:crypto';
import { CACHE_MANAGER } from '@nestjs/cache-manager';
import { Inject, Injectable } from '@nestjs/common';
import type { Cache } from 'cache-manager';
import { fulfilled, type Outcome } from '../kernel/outcome.js';
import { Batcher } from '../runtime/batching/batcher.js';
import { withDeadline } from '../runtime/deadline.js';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { StockChanges } from '../stock/stock-changes.js';
import { counter } from '../telemetry/metrics.js';
import { CacheConnection } from '../cache/cache-connection.js';

/** How long Redis is left alone by readers after it did not answer in time. */
const PAUSE_MS = 1_000;
/** Longer than any load may take. The lease of a process that died expires. */
const LEASE_MS = 10_000;
/** Drops that Redis missed and that are caught up with when it is back. Beyond it the TTL alone bounds the age. */
const MAX_MISSED_DROPS = 10_000;

/** Look-ups that arrive during a round trip share the next one. */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: Infinity, maxWaitMs: Infinity };

/** Plain numbers, told when somebody asks for the metrics: a read looks up no series by its label. */
const reads = { hit: 0, miss: 0 };

counter({
  name: 'cache_requests_total',
  unit: 'reads',
  help: 'Products that were asked for through the cache, by whether they were there.',
  labels: { outcome: ['hit', 'miss'] },
  collect() {
    this.reset();
    this.inc({ outcome: 'hit' }, reads.hit);
    this.inc({ outcome: 'miss' }, reads.miss);
  },
});

export interface CachedText {
  readonly load: () => Promise<string>;
  readonly isCurrent: (cached: string) => boolean;
}

/** Stores a value only if the lease that its reader took before loading still stands. */
const FILL = `
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
redis.call('DEL', KEYS[1])
redis.call('SET', KEYS[2], ARGV[2], 'PX', ARGV[3])
return 1`;

/**
 * Read-through cache of products as JSON text.
 *
 * A reader that misses takes a lease before it loads, and its value is stored only while that lease stands; a change
 * deletes the lease with the value after it is committed. So a reader that loaded before the change cannot put the old
 * value back after it (Nishtala et al., "Scaling Memcache at Facebook", NSDI 2013, section 3.2.1). Redis away or slow
 * costs a reader at most twice `LIMITS.cacheCommandMs`, for after the first it is left alone, and never an error.
 */
@Injectable()
export class ProductCache {
  private readonly lookUps = new Batcher<number, string | undefined>((ids) => this.lookUp(ids), BATCHING);
  /** Look-ups that have not begun, for all who ask for the same product until then. */
  private readonly waiting = new Map<number, Promise<string | undefined>>();
  private readonly loads = new Map<number, Promise<string>>();
  private readonly missedDrops = new Set<number>();
  private readonly ttlMs: string;
  private pausedUntil = 0;

  constructor(
    @Inject(CACHE_MANAGER) private readonly cache: Cache,
    private readonly connection: CacheConnection,
    changes: StockChanges,
    config: Config,
  ) {
    this.ttlMs = String(config.cache.ttlSeconds * 1_000);
    changes.subscribe((productIds) => this.drop(productIds));
    connection.client.on('ready', () => void this.drop([...this.missedDrops]));
  }

  /** Reads of this process since it started. */
  get hits(): number {
    return reads.hit;
  }

  get misses(): number {
    return reads.miss;
  }

  /**
   * The cached text of a product, or what `load` gives; readers that wait for the same product share one load. A text that is not
   * `isCurrent` was cached by another version of this system, and is replaced.
   */
  async read(id: number, { load, isCurrent }: CachedText): Promise<string> {
    const cached = await (this.waiting.get(id) ?? this.startLookUp(id));
    if (cached !== undefined && isCurrent(cached)) {
      reads.hit++;
      return cached;
    }
    reads.miss++;
    return this.loads.get(id) ?? this.startLoad(id, load);
  }

  /**
   * Forgets products whose change has been committed. When it returns, a reader of any process loads anew (one that joins a load
   * of a moment before may still see the old value, which is not kept), unless Redis
   * did not answer in time: then as soon as it does, and after the TTL at the latest. Never throws.
   */
  async drop(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    for (const id of ids) this.loads.delete(id);
    // The lease goes first: between the two a reader could otherwise fill the key that was just deleted.
    const dropped = this.cache.mdel(ids.flatMap((id) => [leaseOf(id), keyOf(id)])).then(
      () => ids.forEach((id) => this.missedDrops.delete(id)),
      () => this.rememberMissed(ids),
    );
    await withDeadline(dropped, LIMITS.cacheCommandMs).catch(() => undefined);
  }

  private startLookUp(id: number): Promise<string | undefined> {
    const looking = this.lookUps.submit(id);
    this.waiting.set(id, looking);
    return looking;
  }

  private async lookUp(ids: readonly number[]): Promise<Outcome<string | undefined>[]> {
    for (const id of ids) this.waiting.delete(id);
    const texts = await this.ask(() => this.cache.mget<string>(ids.map(keyOf)));
    return ids.map((_id, index) => fulfilled(texts?.[index]));
  }

  private async startLoad(id: number, load: () => Promise<string>): Promise<string> {
    const loading = this.loadAndFill(id, load).finally(() => {
      if (this.loads.get(id) === loading) this.loads.delete(id);
    });
    this.loads.set(id, loading);
    return loading;
  }

  private async loadAndFill(id: number, load: () => Promise<string>): Promise<string> {
    const { client } = this.connection;
    const token = randomUUID();
    const lease = await this.ask(() => client.set(leaseOf(id), token, { NX: true, PX: LEASE_MS }));
    const body = await load();
    if (lease === 'OK') {
      void this.ask(() => client.eval(FILL, { keys: [leaseOf(id), keyOf(id)], arguments: [token, body, this.ttlMs] }));
    }
    return body;
  }

  /** Asks Redis, which may be away, slow or frozen; after no answer it is not asked again for a moment. */
  private async ask<T>(command: () => Promise<T>): Promise<T | undefined> {
    if (Date.now() < this.pausedUntil || !this.connection.client.isReady) return undefined;
    try {
      return await withDeadline(command(), LIMITS.cacheCommandMs);
    } catch {
      this.pausedUntil = Date.now() + PAUSE_MS;
      return undefined;
    }
  }

  private rememberMissed(ids: readonly number[]): void {
    for (const id of ids) {
      if (this.missedDrops.size < MAX_MISSED_DROPS) this.missedDrops.add(id);
    }
  }
}

/** The same in every version of this system, so that a change that one process makes drops what any other one has cached. */
function keyOf(id: number): string {
  return `product:${id}:document`;
}

function leaseOf(id: number): string {
  return `product:${id}:lease`;
}

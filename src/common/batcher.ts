import { ApplicationError } from './application-error.js';

/** More is asked for than can be done in time. Nothing has been done for the request that gets it. */
export class OverloadedError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'OVERLOADED';

  constructor() {
    super('Too many requests are waiting; try again');
  }
}

export interface BatcherOptions<Item> {
  /** Items served together at most. */
  readonly maxBatchSize: number;
  /** Batches being served at the same time at most. */
  readonly maxInFlight: number;
  /** Items waiting at most; one more is refused at once. */
  readonly maxWaiting: number;
  /** The longest that an item waits for its turn; after that it is refused unserved. */
  readonly maxWaitMs: number;
  /** What an item needs for itself: it waits while a batch with one of its keys is being served. None unless given. */
  readonly keysOf?: (item: Item) => readonly unknown[];
}

interface Waiting<Item, Result> {
  readonly item: Item;
  readonly keys: readonly unknown[];
  readonly since: number;
  readonly isGone: () => boolean;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

/**
 * Serves items that arrive together in one go: those that arrive while others are being served form the next batch, in
 * order of arrival. There is no timer, so an item that finds nothing under way is served at once and alone. Batches that are
 * served at the same time share no key, and of two items with the same key the first to arrive is served first.
 *
 * `serve` gives one outcome for each item, in their order; when it throws, every item of the batch gets what it threw. It may
 * give the keys free before it is done.
 */
export class Batcher<Item, Result> {
  private waiting: Waiting<Item, Result>[] = [];
  private readonly busyKeys = new Set<unknown>();
  private inFlight = 0;
  private isScheduled = false;
  private readonly idleListeners: (() => void)[] = [];

  constructor(
    private readonly serve: (
      items: readonly Item[],
      freeKeys: () => void,
    ) => Promise<readonly PromiseSettledResult<Result>[]>,
    private readonly options: BatcherOptions<Item>,
  ) {}

  /**
   * The outcome of the item alone. `isGone` is asked when its turn comes: an item nobody waits for any more is not served.
   *
   * @throws OverloadedError when too many wait, or the item has waited too long.
   */
  async submit(item: Item, isGone: () => boolean = () => false): Promise<Result> {
    if (this.waiting.length >= this.options.maxWaiting) throw new OverloadedError();
    return new Promise((resolve, reject) => {
      const keys = this.options.keysOf?.(item) ?? [];
      this.waiting.push({ item, keys, since: performance.now(), isGone, resolve, reject });
      if (!this.isBlocked(keys, this.busyKeys)) this.schedule();
    });
  }

  /** Resolves when nothing waits and nothing is being served. */
  async idle(): Promise<void> {
    if (this.inFlight === 0 && this.waiting.length === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  /** Items that are submitted in one go are served in one go. */
  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0 || this.inFlight === this.options.maxInFlight) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.startBatches();
    });
  }

  private startBatches(): void {
    while (this.inFlight < this.options.maxInFlight && this.waiting.length > 0) {
      const batch = this.takeBatch();
      if (batch.length === 0) break;
      void this.run(batch);
    }
    if (this.inFlight === 0 && this.waiting.length === 0) {
      for (const resolve of this.idleListeners.splice(0)) resolve();
    }
  }

  private takeBatch(): Waiting<Item, Result>[] {
    const batch: Waiting<Item, Result>[] = [];
    const staying: Waiting<Item, Result>[] = [];
    const blocked = new Set(this.busyKeys);
    const oldest = performance.now() - this.options.maxWaitMs;
    for (const waiting of this.waiting) {
      if (batch.length === this.options.maxBatchSize) staying.push(waiting);
      else if (waiting.isGone() || waiting.since < oldest) waiting.reject(new OverloadedError());
      else if (this.isBlocked(waiting.keys, blocked)) {
        for (const key of waiting.keys) blocked.add(key);
        staying.push(waiting);
      } else batch.push(waiting);
    }
    this.waiting = staying;
    return batch;
  }

  private isBlocked(keys: readonly unknown[], blocked: ReadonlySet<unknown>): boolean {
    return blocked.size > 0 && keys.some((key) => blocked.has(key));
  }

  private async run(batch: readonly Waiting<Item, Result>[]): Promise<void> {
    this.inFlight++;
    const keys = new Set(batch.flatMap((waiting) => waiting.keys));
    for (const key of keys) this.busyKeys.add(key);
    const freeKeys = () => {
      for (const key of keys) this.busyKeys.delete(key);
      keys.clear();
      this.schedule();
    };
    try {
      const outcomes = await this.serve(
        batch.map(({ item }) => item),
        freeKeys,
      );
      batch.forEach(({ resolve, reject }, index) => {
        const outcome = outcomes[index];
        if (outcome?.status === 'fulfilled') resolve(outcome.value);
        else reject(outcome?.reason ?? new Error('An item of a batch was given no outcome'));
      });
    } catch (error) {
      for (const { reject } of batch) reject(error);
    } finally {
      this.inFlight--;
      freeKeys();
      this.startBatches();
    }
  }
}

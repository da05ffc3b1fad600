import type { Outcome } from '../../kernel/outcome.js';
import type { Batch } from './batch.js';
import type { BatcherOptions } from './batcher-options.js';
import { currentContext, withoutRequest } from '../request-context.js';
import { YoungBatches } from './young-batches.js';
import { OverloadedError } from '../overloaded.error.js';
import { deadlineOf, itemsOf, type QueuedItem, tell } from './queued-item.js';
import { WaitingLine } from './waiting-line.js';

const NO_KEYS: readonly unknown[] = [];
const isNeverGone = () => false;

/**
 * Serves items that arrive together in one go: those that arrive while others are being served form the next batch, in the order of their
 * turns ({@link WaitingLine}). An item that finds nothing under way is served at once and alone. Batches that are served at the same
 * time share no key, and of two items with the same key the one whose turn is first is served first.
 *
 * `serve` gives one outcome for each item, in their order, then one for each item that it has taken late; when it throws, every
 * item of the batch gets what it threw.
 */
export class Batcher<Item, Result> {
  private readonly waiting: WaitingLine<QueuedItem<Item, Result>>;
  private readonly busyKeys = new Set<unknown>();
  private inFlight = 0;
  private itemsInFlight = 0;
  private readonly young: YoungBatches;
  private isScheduled = false;
  private readonly idleListeners: (() => void)[] = [];
  private expiry: NodeJS.Timeout | undefined;

  constructor(
    private readonly serve: (items: readonly Item[], batch: Batch<Item>) => Promise<readonly Outcome<Result>[]>,
    private readonly options: BatcherOptions<Item>,
  ) {
    this.young = new YoungBatches(options.overlapAfterMs, () => this.startBatches());
    this.waiting = new WaitingLine(options.maxWaiting);
  }

  /**
   * The outcome of the item alone. `isGone` is asked when its turn comes: an item nobody waits for any more is not served.
   *
   * @throws OverloadedError when too many wait, or the item has waited too long.
   */
  submit(item: Item, isGone: () => boolean = isNeverGone): Promise<Result> {
    return new Promise((resolve, reject) => {
      const { keysOf, weightOf, ownerOf } = this.options;
      const [keys, weight, owner] = [keysOf?.(item) ?? NO_KEYS, weightOf?.(item) ?? 1, ownerOf?.(item)];
      const [since, { deadline }] = [performance.now(), currentContext()];
      const queued = { item, keys, weight, owner, since, deadline, turn: 0, isGone, resolve, reject };
      const leaving = this.waiting.add(queued);
      leaving?.reject(new OverloadedError());
      if (leaving === queued) return;
      this.expireInTime();
      if (!keys.some((key) => this.busyKeys.has(key))) this.schedule();
    });
  }

  /** Items that wait for their turn. */
  get waitingCount(): number {
    return this.waiting.length;
  }

  /** Resolves when nothing waits and nothing is being served. */
  async idle(): Promise<void> {
    if (this.inFlight === 0 && this.waiting.length === 0) return;
    await new Promise<void>((resolve) => this.idleListeners.push(resolve));
  }

  /** Refuses what has waited too long at that moment, also while the batches in flight take longer. One timer is enough. */
  private expireInTime(): void {
    if (this.expiry !== undefined || this.options.maxWaitMs === Infinity) return;
    const { oldestSince } = this.waiting;
    if (oldestSince === Infinity) return;
    const leftMs = Math.max(oldestSince + this.options.maxWaitMs - performance.now(), 0);
    this.expiry = setTimeout(() => {
      this.expiry = undefined;
      const cutOff = performance.now() - this.options.maxWaitMs;
      const late = this.waiting.inTurn().filter(({ since }) => since <= cutOff);
      this.waiting.remove(late);
      for (const { reject } of late) reject(new OverloadedError());
      this.expireInTime();
      if (late.length > 0) this.startBatches();
    }, leftMs + 1).unref();
  }

  /** Waits one microtask, so that all items that are submitted in the same tick can join the first batch. */
  private schedule(): void {
    if (this.isScheduled || this.waiting.length === 0 || this.inFlight === this.options.maxInFlight) return;
    this.isScheduled = true;
    queueMicrotask(() => {
      this.isScheduled = false;
      this.startBatches();
    });
  }

  private startBatches(): void {
    while (this.inFlight < this.options.maxInFlight && this.young.none && this.waiting.length > 0) {
      const batch = this.take([], ({ keys }) => !keys.some((key) => this.busyKeys.has(key)));
      if (batch.length === 0) break;
      void this.run(batch);
    }
    if (this.inFlight === 0 && this.waiting.length === 0) {
      for (const resolve of this.idleListeners.splice(0)) resolve();
    }
  }

  private batchSize(): number {
    const { maxBatchSize, minBatchSize = maxBatchSize } = this.options;
    return Math.min(maxBatchSize, Math.max(minBatchSize, Math.ceil((this.waiting.length + this.itemsInFlight) / 2)));
  }

  /**
   * Removes items that `isFree` accepts, as many as a batch with these `members` has room for. It skips an item that shares a key with
   * an earlier one that stays, so that their turns keep their order. What nobody waits for any more, or has waited too long, is refused.
   */
  private take(
    members: readonly QueuedItem<Item, Result>[],
    isFree: (waiting: QueuedItem<Item, Result>) => boolean,
  ): QueuedItem<Item, Result>[] {
    const { maxBatchWeight = Infinity } = this.options;
    const count = this.batchSize() - members.length;
    let weightLeft = maxBatchWeight - members.reduce((sum, { weight }) => sum + weight, 0);
    const taken: QueuedItem<Item, Result>[] = [];
    const over: QueuedItem<Item, Result>[] = [];
    const awaited = new Set<unknown>();
    const cutOff = performance.now() - this.options.maxWaitMs;
    for (const waiting of this.waiting.inTurn()) {
      if (taken.length >= count) break;
      if (waiting.isGone() || waiting.since < cutOff) over.push(waiting);
      else if (!isFree(waiting) || waiting.keys.some((key) => awaited.has(key))) {
        for (const key of waiting.keys) awaited.add(key);
      } else if (waiting.weight > weightLeft && members.length + taken.length > 0) {
        // Lighter ones do not overtake it, or it could wait for ever.
        break;
      } else {
        weightLeft -= waiting.weight;
        taken.push(waiting);
      }
    }
    this.waiting.remove([...over, ...taken]);
    for (const { reject } of over) reject(new OverloadedError());
    return taken;
  }

  private async run(taken: readonly QueuedItem<Item, Result>[]): Promise<void> {
    this.inFlight++;
    const endYouth = this.young.begin();
    const members: QueuedItem<Item, Result>[] = [];
    const keys = new Set<unknown>();
    const waitedMs = performance.now() - Math.min(...taken.map(({ since }) => since));
    const batch = { ...this.batchOf(members, keys), waitedMs };
    this.join(members, taken);
    for (const key of taken.flatMap((waiting) => waiting.keys)) {
      keys.add(key);
      this.busyKeys.add(key);
    }
    try {
      const outcomes = await withoutRequest(deadlineOf(taken), () => this.serve(batch.items(), batch));
      void tell(members, outcomes);
    } catch (error) {
      for (const { reject } of members) reject(error);
    } finally {
      this.inFlight--;
      endYouth();
      this.itemsInFlight -= members.length;
      batch.freeKeys();
      this.startBatches();
    }
  }

  private batchOf(members: QueuedItem<Item, Result>[], keys: Set<unknown>): Omit<Batch<Item>, 'waitedMs'> {
    const mayJoin = ({ item, keys: own }: QueuedItem<Item, Result>) =>
      (this.options.mayJoinLate?.(item) ?? true) && own.every((key) => keys.has(key));
    return {
      items: () => itemsOf(members),
      takeLate: () => itemsOf(this.join(members, this.take(members, mayJoin))),
      freeKeys: () => {
        for (const key of keys) this.busyKeys.delete(key);
        keys.clear();
        this.schedule();
      },
    };
  }

  private join(
    members: QueuedItem<Item, Result>[],
    taken: readonly QueuedItem<Item, Result>[],
  ): readonly QueuedItem<Item, Result>[] {
    this.itemsInFlight += taken.length;
    members.push(...taken);
    return taken;
  }
}

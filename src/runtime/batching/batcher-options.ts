export interface BatcherOptions<Item> {
  /** Items served together at most. */
  readonly maxBatchSize: number;
  /** The weight of items served together at most; a single item may weigh more. Any unless given. */
  readonly maxBatchWeight?: number;
  /** How much work an item is, compared with others; each is 1 unless given. */
  readonly weightOf?: (item: Item) => number;
  /**
   * Target size of a batch: half of all items, waiting and in flight, and at least this many. While PostgreSQL commits one batch, the
   * process answers the clients of the other. Splitting a handful of items does not pay. `maxBatchSize` unless given: no splitting.
   */
  readonly minBatchSize?: number;
  /** Batches being served at the same time at most. */
  readonly maxInFlight: number;
  /**
   * A batch begins beside another only when that has taken so long; at once unless given. Where batches are short, few large
   * ones cost less than many small ones, and one that hangs still stops nobody.
   */
  readonly overlapAfterMs?: number;
  /** Whose an item is, which has a share of the turns; `undefined`, and unless given, for one that stands for itself. */
  readonly ownerOf?: (item: Item) => unknown;
  /** Items waiting at most; of more, the one whose turn is last is refused at once. */
  readonly maxWaiting: number;
  /** The longest that an item waits for its turn; after that it is refused unserved. */
  readonly maxWaitMs: number;
  /** The keys that an item needs exclusively: it waits while a running batch uses one of them. None unless given. */
  readonly keysOf?: (item: Item) => readonly unknown[];
  /** Whether an item may join a batch that has begun; each may unless given. */
  readonly mayJoinLate?: (item: Item) => boolean;
}

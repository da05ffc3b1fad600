import type { Waiting } from './waiting-line.js';

/** An item of a batcher that waits for its turn, or is being served. */
export interface QueuedItem<Item, Result> extends Waiting {
  readonly item: Item;
  readonly keys: readonly unknown[];
  /** By which its request must be answered, as `performance.now` tells it. */
  readonly deadline: number;
  readonly isGone: () => boolean;
  readonly resolve: (result: Result) => void;
  readonly reject: (reason: unknown) => void;
}

export function itemsOf<Item>(queued: readonly { readonly item: Item }[]): Item[] {
  return queued.map(({ item }) => item);
}

/** Of the most urgent one. */
export function deadlineOf(queued: readonly { readonly deadline: number }[]): number {
  return Math.min(...queued.map(({ deadline }) => deadline));
}

import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Outcome } from '../../kernel/outcome.js';
import type { Waiting } from './waiting-line.js';

/** Outcomes that are told in one turn of the event loop. */
const TOLD_AT_ONCE = 16;

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

/**
 * Tells each its outcome, in parts, between which the event loop turns: an answer is made of each outcome, and who asks meanwhile would
 * wait for all of them.
 */
export async function tell<Item, Result>(
  queued: readonly QueuedItem<Item, Result>[],
  outcomes: readonly Outcome<Result>[],
): Promise<void> {
  for (const [index, { resolve, reject }] of queued.entries()) {
    if (index > 0 && index % TOLD_AT_ONCE === 0) await nextTurn();
    const outcome = outcomes[index];
    if (outcome?.status === 'fulfilled') resolve(outcome.value);
    else reject(outcome?.reason ?? new Error('An item of a batch was given no outcome'));
  }
}

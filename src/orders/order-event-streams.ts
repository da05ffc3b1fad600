import type { OrderEvent } from './order-event.js';

/** What is new of an order's events; the stream ends with the last batch. */
export type EventBatches = AsyncIterable<readonly OrderEvent[] | 'stopping'>;

/** An order that somebody follows. */
export interface FollowedOrder {
  readonly batches: EventBatches;
  /** Call it when nobody follows any more. */
  readonly close: () => void;
  /** Aborted when the process stops. */
  readonly stopping: AbortSignal;
}

/** Follows orders live; whoever reads the log of events provides it. */
export abstract class OrderEventStreams {
  /**
   * The events of an order after a `sequence`, and those to come, until nothing comes any more: after its end, or after the undo at the gateway that
   * is owed.
   *
   * @throws OrderNotFoundError
   * @throws OverloadedError when too many streams are open.
   */
  abstract follow(orderId: number, sequence: number): Promise<FollowedOrder>;
}

import type { OrderEvent } from '../orders/history/order-event.js';

/**
 * Somebody who is told of order events: each at least once, after its commit, the events of an order in their order. One worker at
 * a time tells it.
 */
export interface Subscriber {
  /** Unique. The cursor is stored under this name; a new name starts a new subscription. */
  readonly name: string;
  /** Start with the first event ever. Unless given: only with events after the first start of a worker that has the subscriber. */
  readonly from?: 'beginning';
  /**
   * Resolves when the event is dealt with. An event that it throws for is tried again with backoff, and holds up the later events of
   * its order only. After 20 tries it is parked: an operator lists parked events and has them tried again.
   */
  readonly handler: (event: OrderEvent) => Promise<void> | void;
}

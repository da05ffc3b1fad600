import type { Caller } from '../../kernel/access/caller.js';
import type { OwnedId } from '../../kernel/access/owner.js';
import type { Followed } from '../../runtime/followed.js';
import type { OrderEvent } from './order-event.js';

/** Follows orders live; the event log provides it. */
export abstract class OrderEventStreams {
  /**
   * Follows the events of an order after a `sequence` until the last one: the final status or, where the gateway has to undo its work, the
   * undo after it.
   *
   * @throws OrderNotFoundError
   * @throws OverloadedError when too many streams are open, and TooManyRequestsError when the caller has too many of them.
   */
  abstract follow(order: OwnedId, sequence: number, caller: Caller): Promise<Followed<OrderEvent>>;
}

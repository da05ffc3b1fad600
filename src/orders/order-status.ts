/**
 * The life of an order. Who sets a state, who moves it on, and what a crash leaves:
 *
 * - `pending`: set by the purchase, in the transaction that takes the stock. A worker claims it. The row itself is the
 *   intent: whatever is lost of its job, the sweep dispatches it again.
 * - `processing`: set by the worker that claims it. That worker ends it; if it dies, BullMQ or the sweep gives the job
 *   to another, which claims it again.
 * - `completed`, `failed`: set by the worker, once. Nothing leaves them. With `failed` the stock has gone back.
 * - `cancelled`: set by the customer, once, as long as the order is open. Nothing leaves it, and the stock has gone back.
 */
export const ORDER_STATUSES = ['pending', 'processing', 'completed', 'failed', 'cancelled'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The transitions out of each state. The trigger `orders_status_transition` allows the same ones and refuses all others. */
export const TRANSITIONS: Readonly<Record<OrderStatus, readonly OrderStatus[]>> = {
  pending: ['processing', 'cancelled'],
  processing: ['completed', 'failed', 'cancelled'],
  completed: [],
  failed: [],
  cancelled: [],
};

/** The states that a worker still has to move on. */
export const OPEN_STATUSES = ORDER_STATUSES.filter((status) => TRANSITIONS[status].length > 0);

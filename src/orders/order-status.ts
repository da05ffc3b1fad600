/**
 * The life of an order. Who sets a state, who moves it on, and what a crash leaves:
 *
 * - `pending`: set by the purchase, in the transaction that takes the stock. A worker claims it. The row itself is the
 *   intent: whatever is lost of its job, the sweep hands it over again.
 * - `processing`: set by the worker that claims it. That worker ends it; if it dies, BullMQ or the sweep gives the job
 *   to another, which claims it again.
 * - `completed`, `failed`: set by the worker, once. Nothing leaves them. With `failed` the stock has gone back.
 */
export const ORDER_STATUSES = ['pending', 'processing', 'completed', 'failed'] as const;

export type OrderStatus = (typeof ORDER_STATUSES)[number];

/** The states from which a state may be entered. */
export const ENTERED_FROM: Readonly<Record<Exclude<OrderStatus, 'pending'>, readonly OrderStatus[]>> = {
  processing: ['pending', 'processing'],
  completed: ['processing'],
  failed: ['pending', 'processing'],
};

/** The states that a worker still has to move on. */
export const OPEN_STATUSES: readonly OrderStatus[] = ['pending', 'processing'];

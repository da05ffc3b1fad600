import type { QueryConfig } from 'pg';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';

/** A state that an order is moved to; it starts as `pending`. */
export type ReachedStatus = Exclude<OrderStatus, 'pending'>;

/** An order that is to be moved, and why, for its history. */
export interface StatusChange {
  readonly orderId: number;
  readonly cause: string;
}

/**
 * Moves the orders on that may enter the state, writes it into their history, and returns their ids: of two that race for
 * one, one changes the row. An order in `processing` may be claimed again, by whoever takes over, unless `from` leaves it out. A claim that is lost with
 * PostgreSQL is made again as well, and so need not wait until it is on disk.
 */
export function changeStatus(
  changes: readonly StatusChange[],
  to: ReachedStatus,
  from: readonly OrderStatus[] = originsOf(to),
): QueryConfig & { text: string } {
  const isClaim = to === 'processing';
  return {
    name: isClaim ? 'claim' : 'change-status',
    text: `WITH changed AS (
             UPDATE orders SET status = $3 WHERE id = ANY ($1::bigint[]) AND status = ANY ($4::text[]) RETURNING id
           )
           INSERT INTO order_events (order_id, status, cause)
           SELECT id, $3, ($2::text[])[array_position($1::bigint[], id)] FROM changed
           ${isClaim ? `WHERE set_config('synchronous_commit', 'off', true) = 'off'` : ''} RETURNING order_id AS id`,
    values: [changes.map(({ orderId }) => orderId), changes.map(({ cause }) => cause), to, from],
  };
}

/** Adds to the history of an order that has failed or was cancelled; it stays what it is. */
export function noteAfterEnd(orderId: number, cause: string): QueryConfig {
  return {
    name: 'note-after-end',
    text: `INSERT INTO order_events (order_id, status, cause)
           SELECT id, status, $2 FROM orders WHERE id = $1 AND status IN ('failed', 'cancelled')
           RETURNING id`,
    values: [orderId, cause],
  };
}

/** The same of a cancelled order that was called for, when nothing is noted of the call: its worker died, or could not tell. */
export function noteEarlierCall(orderId: number): QueryConfig {
  return {
    name: 'note-earlier-call',
    text: `INSERT INTO order_events (order_id, status, cause)
           SELECT id, status, 'an external call was made before; what it did is not known: ask the provider'
           FROM orders WHERE id = $1 AND status = 'cancelled'
             AND EXISTS (SELECT FROM order_events WHERE order_id = $1 AND status = 'processing')
             AND NOT EXISTS (SELECT FROM order_events WHERE order_id = $1 AND cause ~ '^(the|an) external call ')
           RETURNING id`,
    values: [orderId],
  };
}

function originsOf(to: ReachedStatus): OrderStatus[] {
  const from = ORDER_STATUSES.filter((status) => TRANSITIONS[status].includes(to));
  return to === 'processing' ? [...from, to] : from;
}

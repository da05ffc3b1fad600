import type { QueryConfig } from 'pg';
import { recordEvents } from './order-event-writer.js';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';
import { MOVE_ORDERS } from './order-writer.js';

/** A state that an order is moved to; it starts as `pending`. */
export type ReachedStatus = Exclude<OrderStatus, 'pending'>;

/** An order that is to be moved, and why, for its history. */
export interface StatusChange {
  readonly orderId: number;
  readonly cause: string;
}

/**
 * Moves the orders on that may enter the state, writes it into their history, and gives their ids: of two that race for one order,
 * one changes the row. An order in `processing` may be claimed again, by the worker that takes over, unless `from` leaves it out.
 * Claims use `synchronous_commit = off`: if PostgreSQL crashes and loses one, the order is simply claimed again.
 */
export function changeStatus(
  changes: readonly StatusChange[],
  to: ReachedStatus,
  from: readonly OrderStatus[] = originsOf(to),
): QueryConfig {
  const isClaim = to === 'processing';
  const events = `SELECT id, $3, ($2::text[])[array_position($1::bigint[], id)] FROM changed
           ${isClaim ? `WHERE set_config('synchronous_commit', 'off', true) = 'off'` : ''} RETURNING order_id AS id`;
  return {
    name: isClaim ? 'claim' : 'change-status',
    text: `WITH ${MOVE_ORDERS} ${recordEvents(events)}`,
    values: [changes.map(({ orderId }) => orderId), changes.map(({ cause }) => cause), to, from],
  };
}

/** Adds to the history of an order that has failed or was cancelled; it stays what it is. Gives a row when there is such an order. */
export function noteAfterEnd(orderId: number, cause: string): QueryConfig {
  const event = `SELECT id, status, $2 FROM orders WHERE id = $1 AND status IN ('failed', 'cancelled') RETURNING id`;
  return { name: 'note-after-end', text: recordEvents(event), values: [orderId, cause] };
}

/** The same for a cancelled order whose call left no note: its worker died in the call, or could not tell. */
export function noteEarlierCall(orderId: number): QueryConfig {
  const event = `SELECT id, status, 'an external call was made before; what it did is not known: ask the provider'
           FROM orders WHERE id = $1 AND status = 'cancelled'
             AND EXISTS (SELECT FROM order_events WHERE order_id = $1 AND status = 'processing')
             AND NOT EXISTS (SELECT FROM order_events WHERE order_id = $1 AND cause ~ '^(the|an) external call ')
           RETURNING id`;
  return { name: 'note-earlier-call', text: recordEvents(event), values: [orderId] };
}

function originsOf(to: ReachedStatus): OrderStatus[] {
  const from = ORDER_STATUSES.filter((status) => TRANSITIONS[status].includes(to));
  return to === 'processing' ? [...from, to] : from;
}

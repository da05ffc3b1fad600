import type { QueryConfig } from 'pg';
import { recordTypedEvents } from './history/order-event-writer.js';

// The one writer of `fulfilment_undos`: orders that have ended otherwise than their gateway may believe. A row stays until the
// gateway has cancelled the fulfilment.

const OWE = 'INSERT INTO fulfilment_undos (order_id, due_at)';
/** How often the order was claimed, and so perhaps called for. Events of other transactions are seen only by a later statement. */
const CLAIMS = `(SELECT count(*) FROM order_events AS claim WHERE claim.order_id = orders.id AND claim.status = 'processing')`;

/**
 * A common table expression that notes an undo for the orders `$1` which were claimed. Its statement begins after the one that has
 * ended the order. A call may be under way, in this or another process, or lost with its process: the undo is due when it must be
 * over.
 *
 * @param callMs how long an external call may take.
 * @param claims of how many claims an order must have had; 1 unless given.
 */
export function oweUndo({ callMs, claims = 1 }: { callMs: number; claims?: number }): { name: string; text: string } {
  const waitMs = Math.ceil(callMs);
  return {
    name: `undo-${waitMs}-${claims}`,
    text: `owed AS (
      ${OWE}
      SELECT id, clock_timestamp() + ${waitMs} * interval '1 millisecond' FROM orders
      WHERE id = ANY ($1::bigint[]) AND ${CLAIMS} >= ${claims}
      ON CONFLICT (order_id) DO NOTHING
    )`,
  };
}

/**
 * The call for an order has ended: an undo that is owed is due now. Notes one for an order that another process has ended without
 * noting it; gives a row when an undo is owed.
 */
export function undoNow(orderId: number): QueryConfig {
  return {
    name: 'undo-now',
    text: `${OWE}
           SELECT id, clock_timestamp() FROM orders WHERE id = $1 AND status IN ('failed', 'cancelled')
           ON CONFLICT (order_id) DO UPDATE
           SET due_at = least(fulfilment_undos.due_at, excluded.due_at), attempts = fulfilment_undos.attempts + 1
           RETURNING order_id AS id`,
    values: [orderId],
  };
}

/** The same for a cancelled order whose earlier call is lost with its process, unless its undo was noted or done already. */
export function undoEarlierCall(orderId: number): QueryConfig {
  return {
    name: 'undo-earlier-call',
    text: `${OWE}
           SELECT id, clock_timestamp() FROM orders
           WHERE id = $1 AND status = 'cancelled' AND ${CLAIMS} > 0
             AND NOT EXISTS (SELECT FROM order_events WHERE order_id = $1 AND type = 'order.fulfilment_cancelled')
           ON CONFLICT (order_id) DO NOTHING RETURNING order_id AS id`,
    values: [orderId],
  };
}

/** An undo that this worker is about to try. */
export interface DueUndo {
  readonly id: number;
  /** Which try it is, from 1. */
  readonly attempt: number;
}

/** Takes undos that are due, `limit` at most, and puts them off by `leaseMs`: no other worker takes them meanwhile. */
export function takeDueUndos(limit: number, leaseMs: number): QueryConfig {
  return {
    name: 'take-due-undos',
    text: `UPDATE fulfilment_undos SET attempts = attempts + 1, due_at = clock_timestamp() + $2 * interval '1 millisecond'
           WHERE order_id = ANY (ARRAY(
             SELECT order_id FROM fulfilment_undos WHERE due_at <= clock_timestamp()
             ORDER BY due_at LIMIT $1 FOR UPDATE SKIP LOCKED
           )) RETURNING order_id AS id, attempts AS attempt`,
    values: [limit, leaseMs],
  };
}

/** Puts an undo off that has failed, unless another call for the order has ended meanwhile: then it is due again. */
export function postponeUndo(
  { id, attempt }: DueUndo,
  { waitMs, error }: { waitMs: number; error: string },
): QueryConfig {
  return {
    name: 'postpone-undo',
    text: `UPDATE fulfilment_undos SET last_error = $3, due_at = clock_timestamp() + $2 * interval '1 millisecond'
           WHERE order_id = $1 AND attempts = $4 RETURNING order_id`,
    values: [id, waitMs, error, attempt],
  };
}

/** The gateway has cancelled the fulfilment: that stands in the order's events. Does nothing when another call has ended meanwhile. */
export function recordUndo({ id, attempt }: DueUndo): QueryConfig {
  const event = `SELECT id, orders.status, 'the fulfilment was cancelled at the gateway', 'order.fulfilment_cancelled'
           FROM orders JOIN undone ON order_id = id RETURNING order_id`;
  return {
    name: 'record-undo',
    text: `WITH undone AS (
             DELETE FROM fulfilment_undos WHERE order_id = $1 AND attempts = $2 RETURNING order_id
           ) ${recordTypedEvents(event)}`,
    values: [id, attempt],
  };
}

/** Whether the gateway still has to be told to cancel the fulfilment of an order. */
export function selectIsUndoOwed(orderId: number): QueryConfig {
  return {
    name: 'is-undo-owed',
    text: 'SELECT EXISTS (SELECT FROM fulfilment_undos WHERE order_id = $1) AS "isOwed"',
    values: [orderId],
  };
}

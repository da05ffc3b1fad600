import type { QueryConfig } from 'pg';
import { SERVER } from '../../database/transactions/commit.js';
import type { OwnedId } from '../../kernel/access/owner.js';
import { ASKED_ORDERS, type AskedRow, askedValues } from '../order-rows.js';
import type { OrderStatus } from '../order-status.js';

/** What an event tells. `.fulfilment_cancelled` tells of the undo at the gateway, which follows the end of the order. */
export const ORDER_EVENT_TYPES = [
  'order.created',
  'order.processing',
  'order.completed',
  'order.failed',
  'order.cancelled',
  'order.fulfilment_cancelled',
] as const;

export type OrderEventType = (typeof ORDER_EVENT_TYPES)[number];

/** A step in the life of an order. `order.processing` stands there each time that a worker claims it. */
export interface OrderEvent {
  readonly id: number;
  readonly type: OrderEventType;
  readonly orderId: number;
  /** Counts 1, 2, … in an order. */
  readonly sequence: number;
  /** The status of the order after the event. */
  readonly status: OrderStatus;
  readonly cause: string;
  /** Of the request that has caused it; null for what a worker did, and for an event of an older release. */
  readonly requestId: string | null;
  /** Who has sent it; null where nobody is asked. */
  readonly actor: string | null;
  /** Of the job in which a worker has claimed the order; null for all other events. */
  readonly jobId: string | null;
  readonly createdAt: Date;
}

/** An order is tried a few times, and again after a crash; more than these would be a fault. */
export const MAX_EVENTS = 1_000;

/** The type of an event in SQL; `event` is the row's name. */
const typeOf = (event: string) =>
  `coalesce(${event}.type, 'order.' || CASE ${event}.status WHEN 'pending' THEN 'created' ELSE ${event}.status END)`;

/** The columns of an {@link OrderEvent}. The ids of an order's events ascend in the order of their commits, so they give the sequence. */
const COLUMNS = `event.id, ${typeOf('event')} AS type, event.order_id AS "orderId",
  (SELECT count(*) FROM order_events AS earlier WHERE earlier.order_id = event.order_id AND earlier.id <= event.id)::integer AS sequence,
  event.status, event.cause, event.request_id AS "requestId", event.actor, event.job_id AS "jobId", event.created_at AS "createdAt"`;

/** An event of an order that was asked for; all columns but the place are null for an order that has none. */
export type OrderEventRow = AskedRow & (Omit<OrderEvent, 'orderId' | 'sequence'> | { id: null });

/** The events of orders, those of each from its beginning. Their `sequence` is their place among the rows of their order, from 1. */
export function selectEvents(asked: readonly OwnedId[]): QueryConfig {
  return {
    name: 'select-order-events',
    text: `SELECT place, event.* FROM ${ASKED_ORDERS} LEFT JOIN LATERAL (
             SELECT event.id, ${typeOf('event')} AS type, event.status, event.cause, event.request_id AS "requestId", event.actor,
                    event.job_id AS "jobId", event.created_at AS "createdAt"
             FROM order_events AS event WHERE event.order_id = orders.id ORDER BY event.id LIMIT ${MAX_EVENTS}
           ) AS event ON true ORDER BY place, event.id`,
    values: askedValues(asked),
  };
}

/** The history of an order. */
export function toEvents(rows: readonly OrderEventRow[], { id: orderId }: OwnedId): OrderEvent[] {
  return rows.flatMap((row, index) => {
    if (row.id === null) return [];
    const { id, type, status, cause, requestId, actor, jobId, createdAt } = row;
    return { id, type, orderId, sequence: index + 1, status, cause, requestId, actor, jobId, createdAt };
  });
}

/** A row of the log of all events, with what its snapshot knew. */
export interface LogRow {
  /** Of the event. */
  readonly id: number;
  /** The id of the oldest transaction that had not ended. */
  readonly oldestTransaction: string;
  /** The server that has given out its transaction ids. */
  readonly server: string;
}

/** Worked out once, and not for each row. */
const SNAPSHOT = `(SELECT pg_snapshot_xmin(pg_current_snapshot())::text) AS "oldestTransaction", (SELECT ${SERVER}) AS server`;

/** Whose event it is, and no more: a fraction of what {@link LoggedEvent} costs. */
export interface LoggedOrder extends LogRow {
  readonly orderId: number;
}

/** An event, and what its snapshot knew. */
export interface LoggedEvent extends OrderEvent, LogRow {
  /** The release before has noted here what a call did after the order had ended: it repeats the end, and is no event. */
  readonly isNote: boolean;
}

const IS_NOTE = `event.type IS NULL AND event.status IN ('failed', 'cancelled') AND EXISTS (
    SELECT FROM order_events AS earlier
    WHERE earlier.order_id = event.order_id AND earlier.id < event.id AND earlier.status = event.status)`;

/** The committed events of all orders after an id as {@link LoggedEvent}, in the order of their ids, `limit` at most. */
export function selectEventsAfter(id: number, limit: number): QueryConfig {
  return {
    name: 'select-events-after',
    text: `SELECT ${COLUMNS}, ${IS_NOTE} AS "isNote", ${SNAPSHOT}
           FROM order_events AS event WHERE event.id > $1 ORDER BY event.id LIMIT $2`,
    values: [id, limit],
  };
}

/** Many {@link LoggedOrder} in one row: a row of its own for each costs the driver several times as much. */
export interface LoggedOrders {
  /** Of the events. */
  readonly ids: readonly number[];
  readonly orderIds: readonly number[];
  readonly oldestTransaction: string;
  readonly server: string;
}

/** Whose events these are, as {@link LoggedOrders}; no row when there are none, or each look would ask for the snapshot. */
export function selectOrdersAfter(id: number, limit: number): QueryConfig {
  return {
    name: 'select-orders-after',
    text: `SELECT json_agg(id ORDER BY id) AS ids, json_agg(order_id ORDER BY id) AS "orderIds", ${SNAPSHOT}
           FROM (SELECT id, order_id FROM order_events WHERE id > $1 ORDER BY id LIMIT $2) AS event
           HAVING count(*) > 0`,
    values: [id, limit],
  };
}

export function toLoggedOrders([found]: readonly LoggedOrders[]): LoggedOrder[] {
  if (found === undefined) return [];
  const { ids, orderIds, oldestTransaction, server } = found;
  return orderIds.map((orderId, index) => ({ id: ids[index] ?? 0, orderId, oldestTransaction, server }));
}

/** The events with these ids. */
export function selectEventsById(ids: readonly number[]): QueryConfig {
  return {
    name: 'select-events-by-id',
    text: `SELECT ${COLUMNS} FROM order_events AS event WHERE event.id = ANY ($1::bigint[]) ORDER BY event.id`,
    values: [ids],
  };
}

/**
 * The ids of the orders whose events a request has caused, `limit` of the newest, in SQL: of a customer, whose orders those of
 * others with the same request id would else push out, or of all.
 *
 * @param requestId a parameter, as `$1`, and so is `customer`.
 */
export function ordersOfRequest(requestId: string, limit: number, customer: string | undefined): string {
  const ofCustomer =
    customer === undefined ? '' : `JOIN orders AS own ON own.id = order_id AND own.customer_ref = ${customer}`;
  return `SELECT DISTINCT order_id FROM order_events ${ofCustomer} WHERE request_id = ${requestId} ORDER BY order_id DESC LIMIT ${limit}`;
}

/** The highest id of an event; 0 when there is none. */
export const SELECT_LAST_EVENT_ID: QueryConfig = {
  name: 'select-last-event-id',
  text: 'SELECT coalesce(max(id), 0)::bigint AS id FROM order_events',
};

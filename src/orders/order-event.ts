import type { QueryConfig } from 'pg';
import type { OrderStatus } from './order-status.js';

/** A step in the life of an order. `processing` stands there each time that a worker claims it. */
export interface OrderEvent {
  readonly id: number;
  readonly status: OrderStatus;
  readonly cause: string;
  readonly createdAt: Date;
}

/** An order is tried a few times, and again after a crash; more than these would be a fault. */
export const MAX_EVENTS = 1_000;

/** The events of an order, the first one first; one row of nulls for an order that has none, and no row for no order. */
export function selectEvents(orderId: number): QueryConfig {
  return {
    name: 'select-order-events',
    text: `SELECT order_events.id, order_events.status, cause, order_events.created_at AS "createdAt"
           FROM orders LEFT JOIN order_events ON order_id = orders.id
           WHERE orders.id = $1 ORDER BY order_events.id LIMIT ${MAX_EVENTS}`,
    values: [orderId],
  };
}

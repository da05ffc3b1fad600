import type { QueryConfig } from 'pg';
import type { OrderStatus } from './order-status.js';

/** A step in the life of an order. `processing` stands there once for each attempt. */
export interface OrderEvent {
  readonly id: number;
  readonly status: OrderStatus;
  readonly cause: string;
  readonly createdAt: Date;
}

/** An order is tried a few times, and again after a crash; more than these would be a fault. */
const MAX_EVENTS = 1_000;

/** The events of an order, the first one first. */
export function selectEvents(orderId: number): QueryConfig {
  return {
    name: 'select-order-events',
    text: `SELECT id, status, cause, created_at AS "createdAt" FROM order_events
           WHERE order_id = $1 ORDER BY id LIMIT ${MAX_EVENTS}`,
    values: [orderId],
  };
}

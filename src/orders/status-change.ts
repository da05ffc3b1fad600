import type { QueryConfig } from 'pg';
import { ENTERED_FROM, type OrderStatus } from './order-status.js';

/** A state that an order is moved to; it starts as `pending`. */
export type ReachedStatus = Exclude<OrderStatus, 'pending'>;

/** Moves the orders on that may enter the state, and returns their ids: of two that race for one, one changes the row. */
export function changeStatus(ids: readonly number[], to: ReachedStatus): QueryConfig {
  return {
    name: 'change-status',
    text: 'UPDATE orders SET status = $2 WHERE id = ANY ($1::bigint[]) AND status = ANY ($3::text[]) RETURNING id',
    values: [ids, to, ENTERED_FROM[to]],
  };
}

import type { QueryConfig } from 'pg';
import { releaseStock } from '../stock/stock-ledger.js';

// The one writer of `orders` and `order_items`: parts of the statement that makes an order, moves it on, or gives its stock back.

/** `written (id, created_at)`: an order for each `total_price` that `select` gives, in its order. */
export function insertOrders(select: string): string {
  return `written AS (INSERT INTO orders (total_price) ${select} RETURNING id, created_at)`;
}

/** The items of orders, from `line (order_id, product_id, quantity, unit_price)`. */
export const INSERT_ITEMS = `filled AS (
      INSERT INTO order_items (order_id, product_id, quantity, unit_price)
      SELECT order_id, product_id, quantity, unit_price FROM line
    )`;

/** `changed (id)`: moves the orders `$1` to the status `$3` that are in one of the statuses `$4`. Of two that race for an order, one does. */
export const MOVE_ORDERS = `changed AS (
      UPDATE orders SET status = $3 WHERE id = ANY ($1::bigint[]) AND status = ANY ($4::text[]) RETURNING id
    )`;

/** The items of the orders `$1`, as `releaseStock` wants them. */
const ITEMS = 'SELECT order_id AS owner_id, product_id, quantity FROM order_items WHERE order_id = ANY ($1::bigint[])';

/** Gives the stock of an order back, in the transaction that has moved it to its end. */
export function releaseOrder(id: number, reason: string): QueryConfig {
  return releaseStock({ owner: 'order_id', items: ITEMS, ids: [id], reason });
}

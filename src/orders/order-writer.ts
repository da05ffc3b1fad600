import type { QueryConfig } from 'pg';
import { giveBackFromCustomers } from '../stock/customers/customer-counts.js';
import { type Release, releaseStock } from '../stock/stock-ledger.js';

// The one writer of `orders` and `order_items`: parts of the statement that makes an order, moves it on, or gives its stock back.

/** What a gateway will know a new order by. */
export const NEW_FULFILMENT_KEY = 'gen_random_uuid()';

/** `written (id, created_at)`: an order for each `total_price`, {@link NEW_FULFILMENT_KEY} and `customer_ref` that `select` gives, in its order. */
export function insertOrders(select: string): string {
  return `written AS (INSERT INTO orders (total_price, fulfilment_key, customer_ref) ${select} RETURNING id, created_at)`;
}

/** The items of orders, from `line (order_id, product_id, quantity, unit_price)`. */
export const INSERT_ITEMS = `filled AS (
      INSERT INTO order_items (order_id, product_id, quantity, unit_price)
      SELECT order_id, product_id, quantity, unit_price FROM line
    )`;

/**
 * `changed (id, total_price, fulfilment_key, created_at)`: moves the orders `$1` to the status `$2` that are in one of the statuses
 * `$3`, and fulfil the condition. Of two transactions that race for an order, one moves it.
 */
export function moveOrders(condition = 'true'): string {
  return `changed AS (
      UPDATE orders SET status = $2, updated_at = clock_timestamp()
      WHERE id = ANY ($1::bigint[]) AND status = ANY ($3::text[]) AND ${condition}
      RETURNING id, total_price, fulfilment_key, created_at
    )`;
}

/** What the customers of orders give back of what they may have, in the transaction that has put the stock back. */
export function giveBackOrder(id: number): QueryConfig {
  return giveBackFromCustomers('orders', LINES, [id]);
}

const LINES = `SELECT customer_ref, product_id, quantity FROM orders JOIN order_items ON order_id = orders.id
  WHERE orders.id = ANY ($1::bigint[])`;

/** The items of the orders `$1`, as `releaseStock` wants them. */
const ITEMS = 'SELECT order_id AS owner_id, product_id, quantity FROM order_items WHERE order_id = ANY ($1::bigint[])';

/**
 * Gives the stock of an order back, in the transaction that has moved it to its end. `also` runs in the same
 * statement, and knows the order as one of `$1`.
 */
export function releaseOrder(id: number, reason: string, more: Pick<Release, 'also' | 'origin'>): QueryConfig {
  return releaseStock({ owner: 'order_id', items: ITEMS, ids: [id], reason, ...more });
}

import type { EntityManager } from 'typeorm';
import { MAX_STOCK } from '../products/dto/create-product.dto.js';

/**
 * Puts the units of an order back, also onto products that were deleted since, and returns the products. It is called by who
 * moved the order to its end, in the same transaction, and so once. The column's end is a bound: units that were
 * written over by a later stock-taking up to it have nowhere to go, and the ledger says so.
 */
export async function releaseStock(manager: EntityManager, orderId: number, reason: string): Promise<number[]> {
  const [rows]: [{ id: number }[], number] = await manager.query(
    `WITH locked AS MATERIALIZED (
       SELECT products.id, stock::bigint + order_items.quantity AS stock_after, order_items.quantity
       FROM products JOIN order_items ON order_items.product_id = products.id
       WHERE order_items.order_id = $1
       ORDER BY products.id
       FOR UPDATE OF products
     ), moved AS (
       INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id, reason)
       SELECT id, kind, units, balance, order_id, reason FROM (
         SELECT id, 'release', quantity, stock_after, $1::bigint, $2 FROM locked
         UNION ALL
         SELECT id, 'adjustment', ${MAX_STOCK} - stock_after, ${MAX_STOCK}, NULL, 'beyond the largest stock'
         FROM locked WHERE stock_after > ${MAX_STOCK}
       ) AS movement (id, kind, units, balance, order_id, reason)
       ORDER BY id, order_id NULLS LAST
     )
     UPDATE products SET stock = LEAST(stock_after, ${MAX_STOCK})
     FROM locked WHERE products.id = locked.id
     RETURNING products.id`,
    [orderId, reason],
  );
  return rows.map(({ id }) => id);
}

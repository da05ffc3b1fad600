import type { EntityManager } from 'typeorm';

/**
 * Puts the units of an order back, also onto products that were deleted since, and returns the products. It is called by who
 * moved the order to its end, in the same transaction, and so once. The column's end is a bound: units that were
 * written over by a later stock-taking up to it have nowhere to go, and the trigger adjusts the ledger by them.
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
       SELECT id, 'release', quantity, stock_after, $1, $2 FROM locked
     )
     UPDATE products SET stock = LEAST(stock_after, 2147483647)
     FROM locked WHERE products.id = locked.id
     RETURNING products.id`,
    [orderId, reason],
  );
  return rows.map(({ id }) => id);
}

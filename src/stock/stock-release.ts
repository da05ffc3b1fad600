import type { EntityManager } from 'typeorm';
import { MAX_STOCK } from '../products/dto/create-product.dto.js';

/** Whose units go back. */
const SOURCES = {
  order: { items: 'order_items', id: 'order_id' },
  reservation: { items: 'reservation_items', id: 'reservation_id' },
};

/**
 * Puts the units of orders or reservations back, also onto products that were deleted since, and returns the products. It is
 * called by who moved them to their end, in the same transaction, and so once. The column's end is a bound: units that
 * were written over by a later stock-taking up to it have nowhere to go, and the ledger says so.
 */
export async function releaseStock(
  manager: EntityManager,
  { source, ids, reason }: { source: keyof typeof SOURCES; ids: readonly number[]; reason: string },
): Promise<number[]> {
  const { items, id } = SOURCES[source];
  const [rows]: [{ id: number }[], number] = await manager.query(
    `WITH item AS (
       SELECT ${id} AS source_id, product_id, quantity FROM ${items} WHERE ${id} = ANY ($1::bigint[])
     ), locked AS MATERIALIZED (
       SELECT id, stock::bigint FROM products WHERE id = ANY (ARRAY(SELECT product_id FROM item))
       ORDER BY id FOR UPDATE
     ), released AS MATERIALIZED (
       SELECT source_id, product_id, quantity,
              stock + sum(quantity) OVER (PARTITION BY product_id ORDER BY source_id) AS stock_after
       FROM item JOIN locked ON locked.id = product_id
     ), balance AS (
       SELECT product_id, max(stock_after) AS stock FROM released GROUP BY product_id
     ), moved AS (
       INSERT INTO stock_movements (product_id, kind, quantity, stock_after, ${id}, reason)
       SELECT * FROM (
         SELECT product_id, 'release', quantity, stock_after, source_id, $2 FROM released
         UNION ALL
         SELECT product_id, 'adjustment', ${MAX_STOCK} - stock, ${MAX_STOCK}, NULL, 'beyond the largest stock'
         FROM balance WHERE stock > ${MAX_STOCK}
       ) AS movement (product_id, kind, quantity, stock_after, source_id, reason)
       ORDER BY product_id, source_id NULLS LAST
     )
     UPDATE products SET stock = LEAST(balance.stock, ${MAX_STOCK})
     FROM balance WHERE products.id = balance.product_id AND products.id = ANY (ARRAY(SELECT product_id FROM item))
     RETURNING products.id`,
    [ids, reason],
  );
  return rows.map((row) => row.id);
}

import type { QueryConfig } from 'pg';
import { type EntityManager, In } from 'typeorm';
import { parseCents } from '../../kernel/money.js';
import type { Writes } from '../../database/transaction-runner.js';
import { Product } from '../../products/product.entity.js';
import { toOrder, type WrittenOrder } from './sale.js';
import type { Order } from '../order.entity.js';
import { priceItems, totalOf } from '../../stock/priced-item.js';
import type { Purchase } from '../../stock/stock-request.js';
import type { RequestedItem } from '../../stock/requested-item.js';

interface SoldItem extends WrittenOrder {
  readonly productId: number;
  readonly quantity: number;
  readonly price: string;
}

/**
 * An order in one statement. The conditional `UPDATE` checks and takes in one step, without a lock before it. When it takes
 * some items and not all, the order has no total, and the `NOT NULL` of `orders.total_price` undoes the whole statement.
 */
export function optimisticSaleOf(purchase: Purchase): Writes<SoldItem, Order | undefined> {
  return {
    statements: [saleOf(purchase)],
    toResult: ([first, ...others]) =>
      first &&
      toOrder(
        first,
        [first, ...others].map(({ productId, quantity, price }) => ({
          productId,
          quantity,
          unitPrice: parseCents(price),
        })),
      ),
  };
}

/**
 * Says why a sale was refused, as far as that can still be seen.
 *
 * @throws ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError
 */
export async function explainRefusal(manager: EntityManager, items: readonly RequestedItem[]): Promise<void> {
  const products = await manager.findBy(Product, { id: In(items.map(({ productId }) => productId)) });
  totalOf(priceItems(items, new Map(products.map((product) => [product.id, product]))));
}

/** Of several, the rows are locked in ascending id before the `UPDATE`, whose own order is the planner's choice. */
const LOCKS = `JOIN (
  SELECT id FROM products WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE
) AS locked ON locked.id = item.product_id`;

function saleOf({ items, request }: Purchase): QueryConfig {
  const isAlone = items.length === 1;
  const sold = [items.map(({ productId }) => productId), items.map(({ quantity }) => quantity)];
  const options = { locks: isAlone ? '' : LOCKS, keepKey: request === undefined ? '' : KEEP_KEY };
  return {
    name: `sell-${isAlone ? 'one' : 'several'}${request === undefined ? '' : '-with-key'}`,
    text: saleText(options),
    values: request === undefined ? sold : [...sold, request.sentKey, request.fingerprint],
  };
}

const KEEP_KEY = `kept AS (
  INSERT INTO idempotency_keys (key, fingerprint, order_id) SELECT $3, $4, id FROM placed
),`;

function saleText({ locks, keepKey }: { locks: string; keepKey: string }): string {
  return `WITH taken AS (
            UPDATE products SET stock = stock - item.quantity
            FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity) ${locks}
            WHERE products.id = item.product_id AND stock >= item.quantity AND deleted_at IS NULL
            RETURNING item.product_id, item.quantity, price, stock
          ), placed AS (
            INSERT INTO orders (total_price)
            SELECT CASE WHEN count(*) = cardinality($1) THEN sum(price * quantity) END FROM taken HAVING count(*) > 0
            RETURNING id, created_at
          ), ${keepKey} filled AS (
            INSERT INTO order_items (order_id, product_id, quantity, unit_price)
            SELECT placed.id, product_id, quantity, price FROM placed CROSS JOIN taken
          ), moved AS (
            INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id)
            SELECT product_id, 'sale', -quantity, stock, placed.id FROM placed CROSS JOIN taken
          ), begun AS (
            INSERT INTO order_events (order_id, status, cause) SELECT id, 'pending', 'bought' FROM placed
          )
          SELECT placed.id, created_at AS "createdAt", product_id AS "productId", quantity, price
          FROM placed CROSS JOIN taken`;
}

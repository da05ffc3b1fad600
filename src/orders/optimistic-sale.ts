import type { QueryConfig } from 'pg';
import { type EntityManager, In } from 'typeorm';
import { parseCents } from '../common/money.js';
import type { Writes } from '../database/transaction-runner.js';
import { Product } from '../products/product.entity.js';
import { toOrder, type WrittenOrder } from './order-batch.js';
import type { Order } from './order.entity.js';
import { priceItems, totalOf } from './priced-item.js';
import type { RequestedItem } from './requested-item.js';

interface SoldItem extends WrittenOrder {
  readonly productId: number;
  readonly quantity: number;
  readonly price: string;
}

/**
 * An order in one statement. The conditional `UPDATE` checks and takes in one step, without a lock before it. When it takes
 * some items and not all, the order has no total, and the `NOT NULL` of `orders.total_price` undoes the whole statement.
 */
export function optimisticSaleOf(items: readonly RequestedItem[]): Writes<SoldItem, Order | undefined> {
  return {
    statements: [saleOf(items)],
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

function saleOf(items: readonly RequestedItem[]): QueryConfig {
  return {
    ...(items.length === 1
      ? { name: 'sell-one', text: saleText('') }
      : { name: 'sell-several', text: saleText(LOCKS) }),
    values: [items.map(({ productId }) => productId), items.map(({ quantity }) => quantity)],
  };
}

function saleText(locks: string): string {
  return `WITH taken AS (
            UPDATE products SET stock = stock - item.quantity
            FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity) ${locks}
            WHERE products.id = item.product_id AND stock >= item.quantity AND deleted_at IS NULL
            RETURNING item.product_id, item.quantity, price
          ), placed AS (
            INSERT INTO orders (total_price)
            SELECT CASE WHEN count(*) = cardinality($1) THEN sum(price * quantity) END FROM taken HAVING count(*) > 0
            RETURNING id, status, created_at, updated_at
          ), filled AS (
            INSERT INTO order_items (order_id, product_id, quantity, unit_price)
            SELECT placed.id, product_id, quantity, price FROM placed CROSS JOIN taken
          )
          SELECT placed.id, status, created_at AS "createdAt", updated_at AS "updatedAt",
                 product_id AS "productId", quantity, price
          FROM placed CROSS JOIN taken`;
}

import type { QueryConfig } from 'pg';
import { formatCents, parseCents } from '../common/money.js';
import { LockTimeoutError } from '../database/database-errors.js';
import type { Writes } from '../database/transaction-runner.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { type PricedItem, priceItems, totalOf } from './priced-item.js';
import type { RequestedItem } from './requested-item.js';

type Outcome<T> = PromiseSettledResult<T>;

/** A product of a batch as it is under its lock; without price and stock when somebody else holds the lock. */
export interface LockedProduct {
  readonly id: number;
  /** Decimal text. */
  readonly price: string | null;
  readonly stock: number | null;
}

/** What PostgreSQL makes of an order that is written. */
export type WrittenOrder = Pick<Order, 'id' | 'status' | 'createdAt' | 'updatedAt'>;

/**
 * Decides on each purchase in turn, each against the stock that those before it left. A purchase of a product that
 * somebody else holds is refused with a `LockTimeoutError`.
 */
export function decide(
  purchases: readonly (readonly RequestedItem[])[],
  locked: readonly LockedProduct[],
): Outcome<PricedItem[]>[] {
  const held = new Set<number>();
  const products = new Map<number, { readonly price: bigint; stock: number }>();
  for (const { id, price, stock } of locked) {
    if (price === null || stock === null) held.add(id);
    else products.set(id, { price: parseCents(price), stock });
  }
  return purchases.map((items) => {
    try {
      if (held.size > 0 && items.some(({ productId }) => held.has(productId))) throw new LockTimeoutError();
      const priced = priceItems(items, products);
      totalOf(priced);
      for (const { productId, quantity } of priced) {
        const product = products.get(productId);
        if (product !== undefined) product.stock -= quantity;
      }
      return { status: 'fulfilled', value: priced };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  });
}

/** Takes the stock of what was decided for, from rows that the transaction has locked, and writes the orders with their items. */
export function saleOf(decisions: readonly Outcome<PricedItem[]>[]): Writes<WrittenOrder, Outcome<Order>[]> {
  const sold = decisions.flatMap((decision) => (decision.status === 'fulfilled' ? [decision.value] : []));
  return {
    statements: sold.length === 0 ? [] : [takeStock(sold.flat()), writeOrders(sold)],
    toResult: (rows) => {
      const written = rows.values();
      return decisions.map((decision) => {
        if (decision.status === 'rejected') return decision;
        const { value } = written.next();
        if (value === undefined) throw new Error('PostgreSQL returned fewer orders than were written');
        return { status: 'fulfilled', value: toOrder(value, decision.value) };
      });
    },
  };
}

function takeStock(items: readonly PricedItem[]): QueryConfig {
  const quantities = new Map<number, number>();
  for (const { productId, quantity } of items) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  return {
    name: 'take-stock',
    text: `UPDATE products SET stock = stock - item.quantity
           FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity)
           WHERE products.id = item.product_id`,
    values: [[...quantities.keys()], [...quantities.values()]],
  };
}

/** Returns a {@link WrittenOrder} for each purchase, in their order. */
function writeOrders(purchases: readonly (readonly PricedItem[])[]): QueryConfig {
  const items = purchases.flatMap((purchase, index) => purchase.map((item) => ({ ...item, position: index + 1 })));
  return {
    name: 'write-orders',
    text: `WITH written AS (
             INSERT INTO orders (total_price)
             SELECT total_price FROM unnest($1::numeric[]) WITH ORDINALITY AS sold (total_price, position)
             ORDER BY position
             RETURNING id, status, created_at, updated_at
           ), placed AS (
             SELECT *, row_number() OVER (ORDER BY id) AS position FROM written
           ), filled AS (
             INSERT INTO order_items (order_id, product_id, quantity, unit_price)
             SELECT placed.id, item.product_id, item.quantity, item.unit_price
             FROM unnest($2::bigint[], $3::bigint[], $4::integer[], $5::numeric[])
               AS item (position, product_id, quantity, unit_price)
             JOIN placed USING (position)
           )
           SELECT id, status, created_at AS "createdAt", updated_at AS "updatedAt" FROM placed ORDER BY position`,
    values: [
      purchases.map((purchase) => formatCents(totalOf(purchase))),
      items.map(({ position }) => position),
      items.map(({ productId }) => productId),
      items.map(({ quantity }) => quantity),
      items.map(({ unitPrice }) => formatCents(unitPrice)),
    ],
  };
}

/** The order as it stands in the database after its commit. */
export function toOrder(written: WrittenOrder, purchase: readonly PricedItem[]): Order {
  const items = purchase.map((item) => Object.assign(new OrderItem(), { ...item, orderId: written.id }));
  return Object.assign(new Order(), written, { totalPrice: totalOf(purchase), items });
}

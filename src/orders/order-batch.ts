import { type EntityManager, In } from 'typeorm';
import { formatCents } from '../common/money.js';
import { Product } from '../products/product.entity.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { type PricedItem, priceItems, totalOf } from './priced-item.js';
import type { RequestedItem } from './requested-item.js';

type Outcome<T> = PromiseSettledResult<T>;

/** In ascending id, as everywhere: two transactions of the same products wait for each other instead of deadlocking. */
export async function lockProducts(manager: EntityManager, ids: ReadonlySet<number>): Promise<Product[]> {
  return manager.find(Product, {
    where: { id: In([...ids]) },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
}

/**
 * Decides on each purchase in turn, each against the stock that those before it left. `products` are locked, and their
 * stock here goes down with each purchase that is decided for.
 */
export function decide(
  purchases: readonly (readonly RequestedItem[])[],
  products: readonly Product[],
): Outcome<PricedItem[]>[] {
  const byId = new Map(products.map((product) => [product.id, product]));
  return purchases.map((items) => {
    try {
      const priced = priceItems(items, byId);
      totalOf(priced);
      for (const { productId, quantity } of priced) {
        const product = byId.get(productId);
        if (product !== undefined) product.stock -= quantity;
      }
      return { status: 'fulfilled', value: priced };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  });
}

/** Takes the stock of all items from rows that the caller has locked, in one statement. */
export async function takeStock(manager: EntityManager, items: readonly PricedItem[]): Promise<void> {
  const quantities = new Map<number, number>();
  for (const { productId, quantity } of items) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  await manager.query(
    `UPDATE products SET stock = stock - item.quantity
     FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity)
     WHERE products.id = item.product_id`,
    [[...quantities.keys()], [...quantities.values()]],
  );
}

/** Writes the orders and their items, a statement each, and gives the orders in the same order. */
export async function writeOrders(
  manager: EntityManager,
  purchases: readonly (readonly PricedItem[])[],
): Promise<Order[]> {
  const totals = purchases.map((items) => totalOf(items));
  const rows = await manager.query<Pick<Order, 'id' | 'status' | 'createdAt' | 'updatedAt'>[]>(
    `INSERT INTO orders (total_price)
     SELECT total_price FROM unnest($1::numeric[]) WITH ORDINALITY AS new_order (total_price, position) ORDER BY position
     RETURNING id, status, created_at AS "createdAt", updated_at AS "updatedAt"`,
    [totals.map(formatCents)],
  );
  const orders = rows.map((row, index) => {
    const order = manager.create(Order, { ...row, totalPrice: totals[index] });
    order.items = (purchases[index] ?? []).map((item) => manager.create(OrderItem, { ...item, orderId: row.id }));
    return order;
  });
  const items = orders.flatMap((order) => order.items);
  await manager.query(
    `INSERT INTO order_items (order_id, product_id, quantity, unit_price)
     SELECT * FROM unnest($1::bigint[], $2::bigint[], $3::integer[], $4::numeric[])`,
    [
      items.map(({ orderId }) => orderId),
      items.map(({ productId }) => productId),
      items.map(({ quantity }) => quantity),
      items.map(({ unitPrice }) => formatCents(unitPrice)),
    ],
  );
  return orders;
}

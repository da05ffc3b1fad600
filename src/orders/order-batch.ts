import { type EntityManager, In } from 'typeorm';
import { formatCents } from '../common/money.js';
import { LockTimeoutError } from '../database/database-errors.js';
import { Product } from '../products/product.entity.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { type PricedItem, priceItems, totalOf } from './priced-item.js';
import type { RequestedItem } from './requested-item.js';

type Outcome<T> = PromiseSettledResult<T>;
type LockedProduct = Pick<Product, 'price' | 'stock'>;

/** The products of a batch as they are under their locks; `undefined` for one that somebody else holds. */
export type LockedProducts = ReadonlyMap<number, LockedProduct | undefined>;

/** In ascending id, as everywhere: two transactions of the same products wait for each other instead of deadlocking. */
export async function lockProducts(manager: EntityManager, ids: readonly number[]): Promise<LockedProducts> {
  const products = await manager.find(Product, {
    where: { id: In(ids) },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write' },
  });
  return new Map(products.map((product) => [product.id, product]));
}

/** Locks only what nobody else holds, without waiting. */
export async function lockFreeProducts(manager: EntityManager, ids: readonly number[]): Promise<LockedProducts> {
  const free = await manager.find(Product, {
    where: { id: In(ids) },
    order: { id: 'ASC' },
    lock: { mode: 'pessimistic_write', onLocked: 'skip_locked' },
  });
  const all = await manager.find(Product, { select: { id: true }, where: { id: In(ids) } });
  const held = all.map(({ id }): [number, undefined] => [id, undefined]);
  return new Map([...held, ...free.map((product): [number, LockedProduct] => [product.id, product])]);
}

/**
 * Decides on each purchase in turn, each against the stock that those before it left. A purchase of a product that
 * somebody else holds is refused with a `LockTimeoutError`. The stock in `products` goes down with each that is decided for.
 */
export function decide(
  purchases: readonly (readonly RequestedItem[])[],
  products: LockedProducts,
): Outcome<PricedItem[]>[] {
  const held = new Set([...products].flatMap(([id, product]) => (product === undefined ? [id] : [])));
  const locked = new Map([...products].flatMap(([id, product]) => (product === undefined ? [] : [[id, product]])));
  return purchases.map((items) => {
    try {
      if (items.some(({ productId }) => held.has(productId))) throw new LockTimeoutError();
      const priced = priceItems(items, locked);
      totalOf(priced);
      for (const { productId, quantity } of priced) {
        const product = locked.get(productId);
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

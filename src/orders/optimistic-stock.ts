import { type EntityManager, In } from 'typeorm';
import { parseCents } from '../common/money.js';
import { RetryTransactionError } from '../database/transaction-runner.js';
import { Product } from '../products/product.entity.js';
import { type PricedItem, priceItems } from './priced-item.js';
import type { RequestedItem } from './requested-item.js';

/**
 * Takes the stock of all items by conditional `UPDATE`s, in ascending product id, without a lock before them. Each
 * `UPDATE` checks and takes in one step, and holds its row until the transaction ends.
 *
 * @throws ProductNotFoundError, InsufficientStockError as {@link priceItems} does; what was taken rolls back with the transaction.
 * @throws RetryTransactionError when stock came back between a refused `UPDATE` and the look at why.
 */
export async function takeOptimistically(
  manager: EntityManager,
  items: readonly RequestedItem[],
): Promise<PricedItem[]> {
  const taken = new Map<number, PricedItem>();
  for (const item of items.toSorted((a, b) => a.productId - b.productId)) {
    const price = await takeOne(manager, item);
    if (price === undefined) return refuse(manager, items, taken);
    taken.set(item.productId, { ...item, unitPrice: parseCents(price) });
  }
  return [...taken.values()];
}

async function takeOne(manager: EntityManager, { productId, quantity }: RequestedItem): Promise<string | undefined> {
  const [[row]]: [{ price: string }[], number] = await manager.query(
    `UPDATE products SET stock = stock - $2
     WHERE id = $1 AND stock >= $2 AND deleted_at IS NULL
     RETURNING price`,
    [productId, quantity],
  );
  return row?.price;
}

/** Says why an item was refused. The taken ones are left out: their rows already show the stock less this order. */
async function refuse(
  manager: EntityManager,
  items: readonly RequestedItem[],
  taken: ReadonlyMap<number, PricedItem>,
): Promise<never> {
  const open = items.filter(({ productId }) => !taken.has(productId));
  const products = await manager.findBy(Product, { id: In(open.map(({ productId }) => productId)) });
  priceItems(open, new Map(products.map((product) => [product.id, product])), items.length);
  throw new RetryTransactionError('The stock came back');
}

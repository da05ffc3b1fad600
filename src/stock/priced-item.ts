import type { EntityManager } from 'typeorm';
import { type Cents, formatCents, parseCents } from '../kernel/money.js';
import { ProductNotFoundError } from './product-not-found.error.js';
import type { Product } from '../products/product.entity.js';
import { InsufficientStockError, OrderTotalTooLargeError } from '../orders/order.errors.js';
import type { RequestedItem } from './requested-item.js';

/** A requested item at the price of the moment of purchase. */
export interface PricedItem extends RequestedItem {
  readonly unitPrice: Cents;
}

/** The largest value of `orders.total_price numeric(16, 2)`, in cents. */
export const MAX_TOTAL: Cents = 9_999_999_999_999_999n;

/**
 * Decides whether every item can be sold from `products`, whose rows the caller has locked or has just read. All items
 * are looked up before any stock is compared, each in the order of the request.
 *
 * @throws ProductNotFoundError for the first product that is not there.
 * @throws InsufficientStockError for the first product with too little stock; it is named when there are several.
 */
export function priceItems(
  items: readonly RequestedItem[],
  products: ReadonlyMap<number, Pick<Product, 'price' | 'stock'>>,
): PricedItem[] {
  const found = items.map((item) => {
    const product = products.get(item.productId);
    if (product === undefined) throw new ProductNotFoundError(item.productId);
    return { item, product };
  });
  return found.map(({ item, product: { price, stock } }) => {
    if (stock < item.quantity) {
      throw new InsufficientStockError(stock, item.quantity, items.length > 1 ? item.productId : undefined);
    }
    return { ...item, unitPrice: price };
  });
}

/**
 * Items whose stock is held, at the prices of this moment. Their products cannot be deleted until the transaction ends.
 *
 * @throws ProductNotFoundError for a product that was deleted meanwhile.
 */
export async function priceHeldItems(manager: EntityManager, items: readonly RequestedItem[]): Promise<PricedItem[]> {
  const rows = await manager.query<{ id: number; price: string }[]>(
    `SELECT id, price FROM products WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL ORDER BY id FOR KEY SHARE`,
    [items.map(({ productId }) => productId)],
  );
  const prices = new Map(rows.map(({ id, price }) => [id, parseCents(price)]));
  return items.map((item) => {
    const unitPrice = prices.get(item.productId);
    if (unitPrice === undefined) throw new ProductNotFoundError(item.productId);
    return { ...item, unitPrice };
  });
}

/** @throws OrderTotalTooLargeError */
export function totalOf(items: readonly PricedItem[]): Cents {
  const total = items.reduce((sum, { quantity, unitPrice }) => sum + unitPrice * BigInt(quantity), 0n);
  if (total > MAX_TOTAL) throw new OrderTotalTooLargeError(formatCents(MAX_TOTAL));
  return total;
}

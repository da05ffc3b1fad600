import { type Cents, formatCents, parseCents } from '../kernel/money.js';
import type { StockRow } from './stock-rows.js';
import type { RequestedItem } from './requested-item.js';
import { InsufficientStockError, OrderTotalTooLargeError, ProductNotFoundError } from './stock.errors.js';

/** A requested item at the price of this moment. */
export interface PricedItem extends RequestedItem {
  readonly unitPrice: Cents;
}

/** The largest value of `orders.total_price numeric(16, 2)`, in cents. */
export const MAX_TOTAL: Cents = 9_999_999_999_999_999n;

/**
 * Decides whether every item can be taken from `products`, whose rows the caller has locked or has just read. All items are
 * looked up before any stock is compared, each in the order of the request.
 *
 * @throws ProductNotFoundError for the first product that is not there.
 * @throws InsufficientStockError for the first product with too little stock; it is named when there are several.
 */
export function priceItems(
  items: readonly RequestedItem[],
  products: ReadonlyMap<number, { readonly price: Cents; readonly stock: number }>,
): PricedItem[] {
  const found = items.map((item) => ({ item, product: products.get(item.productId) ?? refuse(item) }));
  return found.map(({ item, product: { price, stock } }) => {
    if (stock < item.quantity) {
      throw new InsufficientStockError(stock, item.quantity, items.length > 1 ? item.productId : undefined);
    }
    return { ...item, unitPrice: price };
  });
}

/**
 * Items whose stock is held, at the prices of `products`.
 *
 * @throws ProductNotFoundError for a product that was deleted meanwhile.
 */
export function priceHeldItems(items: readonly RequestedItem[], products: readonly StockRow[]): PricedItem[] {
  const prices = new Map(products.map(({ id, price }) => [id, parseCents(price)]));
  return items.map((item) => ({ ...item, unitPrice: prices.get(item.productId) ?? refuse(item) }));
}

/** @throws OrderTotalTooLargeError */
export function totalOf(items: readonly PricedItem[]): Cents {
  const total = items.reduce((sum, { quantity, unitPrice }) => sum + unitPrice * BigInt(quantity), 0n);
  if (total > MAX_TOTAL) throw new OrderTotalTooLargeError(formatCents(MAX_TOTAL));
  return total;
}

function refuse({ productId }: RequestedItem): never {
  throw new ProductNotFoundError(productId);
}

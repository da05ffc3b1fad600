import { ValidationError } from '../kernel/validation-error.js';

/** Units of one product that somebody wants to buy. */
export interface RequestedItem {
  readonly productId: number;
  readonly quantity: number;
}

/** The most items of one order or reservation. */
export const MAX_ITEMS = 100;

/** The most units of one product that one order may hold. */
export const MAX_QUANTITY = 1_000_000;

/**
 * Adds up the items of the same product, in the order in which the products were named first. Each item is valid by itself.
 *
 * @throws ValidationError when a sum passes {@link MAX_QUANTITY}.
 */
export function mergeItems(items: readonly RequestedItem[]): RequestedItem[] {
  if (items.length === 1) return [...items];
  const quantities = new Map<number, number>();
  for (const { productId, quantity } of items) {
    quantities.set(productId, (quantities.get(productId) ?? 0) + quantity);
  }
  const merged = [...quantities].map(([productId, quantity]) => ({ productId, quantity }));
  const errors = merged
    .filter(({ quantity }) => quantity > MAX_QUANTITY)
    .map(({ productId }) => ({
      field: 'items',
      message: `items of product ${productId} must not add up to more than ${MAX_QUANTITY}`,
    }));
  if (errors.length > 0) throw new ValidationError(errors);
  return merged;
}

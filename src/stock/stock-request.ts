import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import type { RequestedItem } from './requested-item.js';

/** What somebody wants to buy: each product once, all or nothing. */
export interface Purchase {
  readonly items: readonly RequestedItem[];
  /** When it may be sent again. */
  readonly request?: IdempotentRequest;
}

/** The products of purchases, each once. */
export function productIdsOf(purchases: readonly Purchase[]): number[] {
  return [...new Set(purchases.flatMap(({ items }) => items.map(({ productId }) => productId)))];
}

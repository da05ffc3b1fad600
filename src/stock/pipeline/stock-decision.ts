import { LockTimeoutError } from '../../database/database-errors.js';
import { KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { fulfilled, type Outcome, rejected } from '../../kernel/outcome.js';
import { type Cents, parseCents } from '../../kernel/money.js';
import { type PricedItem, priceItems, totalOf } from '../priced-item.js';
import type { LockedRow } from '../stock-rows.js';
import type { StockRequest, TakenItem } from './stock-request.js';
import type { Tally } from './tally.js';

/** What a batch finds under its locks. */
export interface Found {
  readonly locked: readonly LockedRow[];
  /** Idempotency keys that have been used. */
  readonly takenKeys: readonly string[];
  readonly tallies: readonly Tally[];
}

/** The stocks of a batch, which each request that is decided on makes smaller. */
type Stocks = Map<number, { readonly price: Cents; stock: number }>;

/**
 * Decides on each request in turn, each against the stock that the requests before it left. A request for a product whose lock
 * another transaction holds is refused with a `LockTimeoutError`, and one whose key was used with a `KeyTakenError`.
 */
export function decide(
  requests: readonly StockRequest[],
  { locked, takenKeys, tallies }: Found,
): Outcome<TakenItem[]>[] {
  const lockedElsewhere = new Set<number>();
  const usedKeys = new Set(takenKeys);
  const stocks: Stocks = new Map();
  for (const { id, price, stock } of locked) {
    if (price === null) lockedElsewhere.add(id);
    else stocks.set(id, { price: parseCents(price), stock });
  }
  return requests.map((each) => {
    const { items, request } = each;
    try {
      if (request !== undefined) useKey(request.key, usedKeys);
      if (items.some(({ productId }) => lockedElsewhere.has(productId))) throw new LockTimeoutError();
      const priced = priceItems(items, stocks);
      totalOf(priced);
      for (const tally of tallies) tally.expectWithin(each);
      for (const tally of tallies) tally.add(each);
      return fulfilled(priced.map((item) => ({ ...item, stockAfter: take(item, stocks) })));
    } catch (reason) {
      return rejected(reason);
    }
  });
}

/** @throws KeyTakenError */
function useKey(key: string, used: Set<string>): void {
  if (used.has(key)) throw new KeyTakenError();
  used.add(key);
}

function take({ productId, quantity }: PricedItem, stocks: Stocks): number {
  const product = stocks.get(productId);
  if (product === undefined) throw new Error(`Product ${productId} was decided on without its row`);
  product.stock -= quantity;
  return product.stock;
}

/** Products of which the last unit was taken. */
export function countSoldOut(decisions: readonly Outcome<TakenItem[]>[]): number {
  let count = 0;
  for (const decision of decisions) {
    if (decision.status === 'fulfilled') for (const { stockAfter } of decision.value) if (stockAfter === 0) count++;
  }
  return count;
}

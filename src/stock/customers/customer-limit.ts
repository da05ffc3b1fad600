import { ValidationError } from '../../kernel/validation-error.js';
import type { PipelinedTransaction } from '../../database/transactions/pipelined-transaction.js';
import { type CustomerCount, type CustomerOfProduct, selectCustomerCounts } from './customer-counts.js';
import type { RequestedItem } from '../requested-item.js';
import type { Tally } from '../pipeline/tally.js';
import type { LockedRow } from '../stock-rows.js';
import { CustomerLimitError } from '../stock.errors.js';

/** A product, as far as it matters here. */
type LimitedProduct = Pick<LockedRow, 'id' | 'maxPerCustomer'>;

/** Products that have a limit, by their ids: how many units one customer may have. */
type CustomerLimits = ReadonlyMap<number, number>;

/** What somebody asks for, and for which customer. */
interface Asked {
  readonly items: readonly RequestedItem[];
  readonly customerRef?: string | null;
}

/** The limits among rows of products. */
function limitsOf(products: readonly LimitedProduct[]): CustomerLimits {
  return new Map(products.flatMap(({ id, maxPerCustomer: limit }) => (limit === null ? [] : [[id, limit] as const])));
}

/** The counts that have to be known to decide on requests, each once. */
function countedOf(requests: readonly Asked[], limits: CustomerLimits): CustomerOfProduct[] {
  const counted = new Map<string, CustomerOfProduct>();
  for (const { items, customerRef } of requests) {
    if (customerRef === null || customerRef === undefined) continue;
    for (const { productId } of items) {
      if (limits.has(productId)) counted.set(keyOf(productId, customerRef), { productId, customerRef });
    }
  }
  return [...counted.values()];
}

/**
 * What the customers of requests have, of those of the products that have a limit. Nothing is asked where none has.
 *
 * @param transaction which holds the locks of the products' rows, by an earlier statement.
 */
export async function tallyCustomers(
  requests: readonly Asked[],
  products: readonly LimitedProduct[],
  transaction: Pick<PipelinedTransaction, 'query'>,
): Promise<CustomerTally> {
  const limits = limitsOf(products);
  const counted = countedOf(requests, limits);
  const counts = counted.length === 0 ? [] : await transaction.query<CustomerCount>(selectCustomerCounts(counted));
  return new CustomerTally(limits, counts);
}

/** What customers have of the products with a limit, which each request that is decided on makes more. */
export class CustomerTally implements Tally {
  private readonly counts: Map<string, CustomerCount>;
  private readonly changed = new Set<string>();

  constructor(
    private readonly limits: CustomerLimits,
    counts: readonly CustomerCount[],
  ) {
    this.counts = new Map(counts.map((count) => [keyOf(count.productId, count.customerRef), count]));
  }

  /** Whether no product has a limit. */
  get isEmpty(): boolean {
    return this.limits.size === 0;
  }

  /**
   * Whether the customer may have all items.
   *
   * @throws ValidationError when the customer of a product with a limit is not named, CustomerLimitError when it would have too many.
   */
  expectWithin({ items, customerRef }: Asked): void {
    for (const { productId, quantity } of items) {
      const limit = this.limits.get(productId);
      if (limit === undefined) continue;
      if (customerRef === null || customerRef === undefined) {
        const message = `customer_ref must be given: of product ${productId} a customer may have ${limit}`;
        throw new ValidationError([{ field: 'customer_ref', message }]);
      }
      const bought = this.counts.get(keyOf(productId, customerRef))?.quantity ?? 0;
      if (bought + quantity > limit) throw new CustomerLimitError(productId, { limit, bought });
    }
  }

  /** Counts what a customer was sold. */
  add({ items, customerRef }: Asked): void {
    if (customerRef === null || customerRef === undefined) return;
    for (const { productId, quantity } of items) {
      if (!this.limits.has(productId)) continue;
      const key = keyOf(productId, customerRef);
      const before = this.counts.get(key)?.quantity ?? 0;
      this.counts.set(key, { productId, customerRef, quantity: before + quantity });
      this.changed.add(key);
    }
  }

  /** What is to be written. */
  get changes(): (CustomerCount & { readonly maximum: number })[] {
    return [...this.changed].flatMap((key) => {
      const count = this.counts.get(key);
      const maximum = count === undefined ? undefined : this.limits.get(count.productId);
      return count === undefined || maximum === undefined ? [] : [{ ...count, maximum }];
    });
  }
}

function keyOf(productId: number, customerRef: string): string {
  return `${productId} ${customerRef}`;
}

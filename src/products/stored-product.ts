import { type JsonNumber, toJsonNumber } from '../kernel/json-number.js';
import { parseCents } from '../kernel/money.js';
import { storedAsJson, type StoredNumber } from '../kernel/stored-json.js';
import type { LiveProduct } from './product-row.js';

interface Stored<Price> extends Pick<LiveProduct, 'id' | 'name' | 'stock'> {
  readonly price: Price;
  /** Absent in what a release before 1.1 has kept. */
  readonly max_per_customer?: number | null;
  readonly created_at: string;
  readonly updated_at: string;
}

/** How a product is kept with the idempotency key that created it. See docs/decisions/0015-kept-results.md. */
export const storedProduct = storedAsJson({
  write: ({ id, name, price, stock, maxPerCustomer, createdAt, updatedAt }: LiveProduct) =>
    ({
      id,
      name,
      price: toJsonNumber(price),
      stock,
      max_per_customer: maxPerCustomer,
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    }) satisfies Stored<JsonNumber>,
  read: ({ price, max_per_customer, created_at, updated_at, ...same }: Stored<StoredNumber>) => {
    return {
      ...same,
      price: parseCents(String(price)),
      maxPerCustomer: max_per_customer ?? null,
      createdAt: new Date(created_at),
      updatedAt: new Date(updated_at),
    };
  },
});

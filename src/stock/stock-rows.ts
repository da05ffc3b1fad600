import type { QueryConfig } from 'pg';

/** What stock has to know of a product. */
export interface StockRow {
  readonly id: number;
  /** Decimal text. */
  readonly price: string;
  readonly stock: number;
  /** Units that one customer may have; null for any number. */
  readonly maxPerCustomer: number | null;
}

/** A row that a request wants to take stock from: with nothing but its id while another transaction holds its lock. */
export type LockedRow =
  StockRow | { readonly id: number; readonly price: null; readonly stock: null; readonly maxPerCustomer: null };

const LIVE = `SELECT id, price, stock, max_per_customer AS "maxPerCustomer" FROM products
  WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL ORDER BY id`;

/** The products that are there, with no lock. */
export function selectStocks(ids: readonly number[]): QueryConfig {
  return { name: 'select-stocks', text: LIVE, values: [ids] };
}

/** The same, locked in ascending id until the transaction ends. */
export function lockProducts(ids: readonly number[]): QueryConfig {
  return { name: 'lock-products', text: `${LIVE} FOR UPDATE`, values: [ids] };
}

/** The same, so that they cannot be deleted until the transaction ends. */
export function keepProducts(ids: readonly number[]): QueryConfig {
  return { name: 'keep-products', text: `${LIVE} FOR KEY SHARE`, values: [ids] };
}

/** Locks those of the products that no other transaction locks, deleted ones too, and gives their ids. It never waits. */
export function lockFreeProducts(ids: readonly number[]): QueryConfig {
  return {
    name: 'lock-free-products',
    text: 'SELECT id FROM products WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE SKIP LOCKED',
    values: [ids],
  };
}

/** The two ways in which the pipeline locks rows, each in ascending id and with the ids of the products for its one parameter. */
export interface LockTexts {
  /** Of the prepared statements. */
  readonly name: string;
  /** Waits for locks that other transactions hold. */
  readonly all: string;
  /** Does not wait: gives the id alone of a row that another transaction holds. */
  readonly free: string;
}

/** @param skippingLocked the statement that leaves out rows which other transactions hold. */
export function lockTextsOf(name: string, waiting: string, skippingLocked: string): LockTexts {
  return {
    name,
    all: waiting,
    free: `SELECT products.id, free.price, free.stock, free."maxPerCustomer" FROM products LEFT JOIN (${skippingLocked}) AS free USING (id)
           WHERE products.id = ANY ($1) AND products.deleted_at IS NULL`,
  };
}

/** The locks of whoever takes stock without an entity. */
export const PRODUCT_LOCKS = lockTextsOf('lock', `${LIVE} FOR UPDATE`, `${LIVE} FOR UPDATE SKIP LOCKED`);

import type { QueryConfig } from 'pg';
import { parseCents } from '../kernel/money.js';
import type { Product } from './product.entity.js';

/** A product that is in the catalogue. */
export type LiveProduct = Readonly<Omit<Product, 'deletedAt' | 'searchName'>>;

/** A row as the driver gives it: `numeric` as text. */
export interface ProductRow extends Omit<LiveProduct, 'price'> {
  readonly price: string;
}

/** Those of the products that are there; prepared, and planned once a connection. */
export function selectProducts(ids: readonly number[]): QueryConfig {
  return {
    name: 'select-products',
    text: `SELECT id, name, price, stock, max_per_customer AS "maxPerCustomer", created_at AS "createdAt", updated_at AS "updatedAt"
           FROM products WHERE id = ANY ($1::bigint[]) AND deleted_at IS NULL`,
    values: [ids],
  };
}

export function toProduct(row: ProductRow): LiveProduct {
  return { ...row, price: parseCents(row.price) };
}

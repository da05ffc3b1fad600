import type { EntityManager } from 'typeorm';
import { MAX_STOCK } from './dto/create-product.dto.js';
import { Product } from './product.entity.js';
import { ProductNotFoundError } from './product-not-found.error.js';
import { StockOutOfRangeError } from './stock.errors.js';
import { insertAdjustment, type StockMovement } from './stock-movement.js';

/** @throws ProductNotFoundError */
export async function lockProduct(manager: EntityManager, id: number): Promise<Product> {
  const product = await manager.findOne(Product, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (product === null) throw new ProductNotFoundError(id);
  return product;
}

/**
 * Writes into the ledger that a locked product is about to have another stock; `undefined` when it has that already.
 *
 * @throws StockOutOfRangeError
 */
export async function recordStock(
  manager: EntityManager,
  product: Pick<Product, 'id' | 'stock'>,
  { stock, reason }: { stock: number; reason: string },
): Promise<StockMovement | undefined> {
  const delta = stock - product.stock;
  if (delta === 0) return undefined;
  if (stock < 0 || stock > MAX_STOCK) throw new StockOutOfRangeError(product.stock, delta, MAX_STOCK);
  const { text, values } = insertAdjustment(product.id, { delta, stockAfter: stock, reason });
  const [movement] = await manager.query<StockMovement[]>(text, values);
  return movement;
}

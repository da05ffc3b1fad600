import type { EntityManager } from 'typeorm';
import { MAX_STOCK } from '../products/dto/create-product.dto.js';
import { Product } from '../products/product.entity.js';
import { ProductNotFoundError } from './product-not-found.error.js';
import { StockOutOfRangeError } from './stock.errors.js';
import { adjustStock, type StockMovement } from './stock-movement.js';

/** @throws ProductNotFoundError */
export async function lockProduct(manager: EntityManager, id: number): Promise<Product> {
  const product = await manager.findOne(Product, { where: { id }, lock: { mode: 'pessimistic_write' } });
  if (product === null) throw new ProductNotFoundError(id);
  return product;
}

/**
 * Gives a locked product another stock, with its movement; `undefined` when it has that stock already.
 *
 * @throws StockOutOfRangeError
 */
export async function setStock(
  manager: EntityManager,
  product: Product,
  { stock, reason }: { stock: number; reason: string },
): Promise<StockMovement | undefined> {
  const delta = stock - product.stock;
  if (delta === 0) return undefined;
  if (stock < 0 || stock > MAX_STOCK) throw new StockOutOfRangeError(product.stock, delta, MAX_STOCK);
  const { text, values } = adjustStock(product.id, { delta, reason });
  const [adjusted] = await manager.query<(StockMovement & { productUpdatedAt: Date })[]>(text, values);
  if (adjusted === undefined) throw new Error(`Product ${product.id} was adjusted without its row`);
  const { productUpdatedAt, ...movement } = adjusted;
  product.stock = stock;
  product.updatedAt = productUpdatedAt;
  return movement;
}

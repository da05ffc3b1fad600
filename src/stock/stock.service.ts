import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ProductCache } from '../products/product-cache.js';
import type { TextAnswer } from '../http/text-answer.js';
import { readPrepared } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import type { ListMovementsQuery } from './dto/list-movements.query.js';
import type { StockAdjustmentDto } from './dto/stock-adjustment.dto.js';
import { StockMovementResponse, type StockMovementsResponse } from './dto/stock-movement.response.js';
import { selectProducts } from '../products/product-row.js';
import { ProductNotFoundError } from './product-not-found.error.js';
import { lockProduct, setStock } from './stock-adjustment.js';
import { StockConflictError } from './stock.errors.js';
import { selectMovements, type StockMovement } from './stock-movement.js';

/** What happened to the stock of a product, and corrections to it. */
@Injectable()
export class StockService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly cache: ProductCache,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * The movements of a product below the id `before`, the newest first.
   *
   * @throws ProductNotFoundError
   */
  async list(id: number, { before, page_size: pageSize }: ListMovementsQuery): Promise<StockMovementsResponse> {
    const page = { before: before ?? Number.MAX_SAFE_INTEGER, count: pageSize + 1 };
    const [products, movements] = await Promise.all([
      readPrepared(this.dataSource, selectProducts([id])),
      readPrepared<StockMovement>(this.dataSource, selectMovements(id, page)),
    ]);
    if (products.length === 0) throw new ProductNotFoundError(id);
    const items = movements.slice(0, pageSize).map((movement) => StockMovementResponse.of(movement));
    return { items, next: movements.length > pageSize ? (items.at(-1)?.id ?? null) : null };
  }

  /**
   * Adds units to a stock or takes some away, under the row's lock, and records it with its reason.
   *
   * @throws ProductNotFoundError
   * @throws StockConflictError when the stock is not the expected one.
   * @throws StockOutOfRangeError
   */
  async adjust(
    id: number,
    { delta, reason, expected_stock: expected }: StockAdjustmentDto,
    request?: IdempotentRequest,
  ): Promise<TextAnswer> {
    try {
      return await this.idempotency.run(request, async (manager) => {
        const product = await lockProduct(manager, id);
        if (expected !== undefined && expected !== product.stock) throw new StockConflictError(expected, product.stock);
        const movement = await setStock(manager, product, { stock: product.stock + delta, reason });
        if (movement === undefined) throw new Error('An adjustment of nothing');
        return StockMovementResponse.of(movement);
      });
    } finally {
      await this.cache.drop([id]);
    }
  }
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource, type EntityManager } from 'typeorm';
import { recordAction } from '../actions/action.js';
import { READS } from '../database/data-source-options.js';
import { queryWithin, readPrepared } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../idempotency/idempotent-request.js';
import { newestOf, type NewestRows } from '../kernel/page.js';
import { currentOrigin } from '../runtime/request-context.js';
import { lockProducts, type StockRow, selectStocks } from './stock-rows.js';
import { forgetCustomerCounts } from './customers/customer-counts.js';
import { StockChanges } from './stock-changes.js';
import { adjustStock } from './stock-ledger.js';
import { selectMovements, type StockMovement } from './movements/stock-movement.js';
import { ProductNotFoundError, StockConflictError, StockOutOfRangeError } from './stock.errors.js';
import { MAX_STOCK } from './stock.js';
import { storedMovement } from './movements/stored-movement.js';

/** A correction of a stock. */
export interface Adjustment {
  /** Units to add, or to take away when negative; not 0. */
  readonly delta: number;
  readonly reason: string;
  /** The stock that the caller has seen. */
  readonly expectedStock?: number;
  /** Record it among the actions of operators as well. */
  readonly isAction?: boolean;
}

/** What happened to the stock of a product, and corrections to it. */
@Injectable()
export class StockService {
  constructor(
    @InjectDataSource(READS) private readonly dataSource: DataSource,
    private readonly changes: StockChanges,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Of a product that has no limit for customers from now on, and whose row is locked. */
  async forgetCustomers(manager: EntityManager, id: number): Promise<void> {
    await queryWithin(manager, forgetCustomerCounts(id));
  }

  /**
   * The movements of a product below the id `before`.
   *
   * @throws ProductNotFoundError
   */
  async movements(
    id: number,
    { before = Number.MAX_SAFE_INTEGER, pageSize }: { before?: number; pageSize: number },
  ): Promise<NewestRows<StockMovement>> {
    const [products, movements] = await Promise.all([
      readPrepared(this.dataSource, selectStocks([id])),
      readPrepared<StockMovement>(this.dataSource, selectMovements(id, { before, count: pageSize + 1 })),
    ]);
    if (products.length === 0) throw new ProductNotFoundError(id);
    return newestOf(movements, pageSize);
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
    { delta, reason, expectedStock, isAction = false }: Adjustment,
    request?: IdempotentRequest,
  ): Promise<Performed<StockMovement>> {
    try {
      return await this.idempotency.run(request, storedMovement, async (manager) => {
        const [product] = await queryWithin<StockRow>(manager, lockProducts([id]));
        if (product === undefined) throw new ProductNotFoundError(id);
        if (expectedStock !== undefined && expectedStock !== product.stock) {
          throw new StockConflictError(expectedStock, product.stock);
        }
        const { movement } = await this.adjustLocked(manager, product, { delta, reason });
        if (isAction) {
          const details = { product_id: id, delta, stock_after: movement.stockAfter, reason };
          await recordAction(manager, 'stock.adjusted', details);
        }
        return movement;
      });
    } finally {
      await this.changes.announce([id]);
    }
  }

  /**
   * Adds units to the stock of a product whose row the caller's transaction has locked. `changedAt` is the product's new
   * `updated_at`. The caller announces the change after its commit.
   *
   * @throws StockOutOfRangeError
   */
  async adjustLocked(
    manager: EntityManager,
    { id, stock }: Pick<StockRow, 'id' | 'stock'>,
    { delta, reason }: Adjustment,
  ): Promise<{ movement: StockMovement; changedAt: Date }> {
    if (stock + delta < 0 || stock + delta > MAX_STOCK) throw new StockOutOfRangeError(stock, delta, MAX_STOCK);
    const statement = adjustStock(id, { delta, reason, origin: currentOrigin() });
    const [adjusted] = await queryWithin<StockMovement & { productUpdatedAt: Date }>(manager, statement);
    if (adjusted === undefined) throw new Error(`Product ${id} was adjusted without its row`);
    const { productUpdatedAt: changedAt, ...movement } = adjusted;
    return { movement, changedAt };
  }
}

import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { Config } from '../../config/config.js';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { currentContext, currentOrigin } from '../../runtime/request-context.js';
import { Product } from '../../products/product.entity.js';
import { type LockTexts, lockTextsOf } from '../../stock/stock-rows.js';
import { mergeItems } from '../../stock/requested-item.js';
import { StockChanges } from '../../stock/stock-changes.js';
import { StockPipeline } from '../../stock/pipeline/stock-pipeline.js';
import type { BatchObserver } from '../../stock/pipeline/stock-taker.js';
import type { Order } from '../order.entity.js';
import { OrderDispatcher } from '../processing/order-dispatcher.js';
import { LimitedProductError, OptimisticSaleService } from './optimistic-sale.service.js';
import { batchSize, batchWait, lockWait, stockOuts } from '../metrics/purchase-metrics.js';
import { type Purchase, toOrders, writeSale, type WrittenOrders } from './sale.js';

const OBSERVER: BatchObserver = {
  served: ({ size, waitedMs }) => {
    batchSize.observe(size);
    batchWait.observe(waitedMs / 1_000);
  },
  locked: (milliseconds) => lockWait.observe(milliseconds / 1_000),
  soldOut: (products) => stockOuts.inc(products),
};

/** Executes purchases: takes the stock and writes the order, all items or none. `PurchaseService` handles repeated requests. */
@Injectable()
export class OrderService {
  private readonly sales: StockPipeline<Purchase, WrittenOrders, Order>;

  constructor(
    transactions: TransactionRunner,
    changes: StockChanges,
    private readonly dispatcher: OrderDispatcher,
    private readonly optimistic: OptimisticSaleService,
    private readonly config: Config,
  ) {
    const locks = productLocks(transactions.manager);
    this.sales = new StockPipeline(transactions, changes, {
      locks,
      write: writeSale,
      toResults: toOrders,
      observer: OBSERVER,
    });
  }

  /** Purchases that wait for their turn under the row lock. */
  get waiting(): number {
    return this.sales.waiting;
  }

  /**
   * Buys all items or none of them. When it resolves, the order is on disk and its stock is taken. The worker is told after
   * that, without waiting for Redis: if the message is lost, the sweep finds the `pending` row. Under the row lock, a purchase
   * whose client is gone (`isGone`) before its turn comes is not made.
   *
   * @throws ValidationError, ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError: nothing has changed.
   * @throws LockTimeoutError, OverloadedError when it takes too long to get a turn: nothing has changed.
   * @throws KeyTakenError when its idempotency key was used: nothing has changed.
   */
  async create({ items, ...asked }: Purchase, isGone?: () => boolean): Promise<Order> {
    const purchase = { ...asked, items: mergeItems(items), origin: currentOrigin(), trace: currentContext().trace };
    const order = await this.sell(purchase, isGone);
    this.dispatcher.dispatch(order.id);
    return order;
  }

  private async sell(purchase: Purchase, isGone?: () => boolean): Promise<Order> {
    if (this.config.orders.locking === 'pessimistic') return this.sales.submit(purchase, isGone);
    return this.optimistic.sell(purchase).catch((error: unknown) => {
      if (error instanceof LimitedProductError) return this.sales.submit(purchase, isGone);
      throw error;
    });
  }
}

/**
 * The statement that locks the products of a purchase. TypeORM leaves deleted products out. Rows are locked in ascending id, as
 * everywhere: two transactions of the same products wait for each other instead of deadlocking. Reservations use `PRODUCT_LOCKS`.
 */
function productLocks(manager: EntityManager): LockTexts {
  const products = manager
    .createQueryBuilder(Product, 'product')
    .select([
      'product.id AS id',
      'product.price AS price',
      'product.stock AS stock',
      'product.maxPerCustomer AS "maxPerCustomer"',
    ])
    .where('product.id = ANY (:ids)', { ids: [] })
    .orderBy('product.id')
    .setLock('pessimistic_write');
  const [waiting] = products.getQueryAndParameters();
  const [skippingLocked] = products.setOnLocked('skip_locked').getQueryAndParameters();
  return lockTextsOf('lock-for-purchase', waiting, skippingLocked);
}

import { Injectable } from '@nestjs/common';
import type { QueryConfig, QueryResultRow } from 'pg';
import type { EntityManager } from 'typeorm';
import { ProductCache } from '../../products/product-cache.js';
import { Batcher, type Turn } from '../../runtime/batcher.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import {
  DatabaseUnavailableError,
  hasWaitedTooLong,
  isDuplicate,
  mayConcernOne,
} from '../../database/database-errors.js';
import { TransactionRunner, type Writes } from '../../database/transaction-runner.js';
import { KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { selectTakenKeys } from '../../idempotency/idempotency-keys.js';
import { Product } from '../../products/product.entity.js';
import { OptimisticSaleService } from './optimistic-sale.service.js';
import { decide, type LockedProduct, saleOf, type SoldItem } from './sale.js';
import { OrderDispatcher } from '../processing/order-dispatcher.js';
import type { Order } from '../order.entity.js';
import { productIdsOf, type Purchase } from '../../stock/stock-request.js';
import { mergeItems } from '../../stock/requested-item.js';
import { type Hold, holdOf, type Reservation } from '../../reservations/reservation.js';

/**
 * Two batches in flight, of different products unless the first is committing already: else they would only wait for each
 * other's locks. So a product that somebody else holds keeps one of them waiting, and its own buyers.
 */
const BATCHING = () => ({
  maxBatchSize: LIMITS.purchasesPerBatch,
  minBatchSize: 32,
  maxInFlight: LIMITS.purchaseBatchesInFlight,
  maxWaiting: LIMITS.purchasesWaiting,
  maxWaitMs: LIMITS.purchaseTurnMs,
  keysOf: (purchase: Purchase) => productIdsOf([purchase]),
  // Keys are looked for when the locks are asked for.
  mayBeLate: ({ request }: Purchase) => request === undefined,
});

type Outcome<T> = PromiseSettledResult<T>;

/** What is written for purchases that were decided on. */
type WritesOf<P, Row, T> = (
  purchases: readonly P[],
  decisions: readonly Outcome<SoldItem[]>[],
) => Writes<Row, Outcome<T>[]>;

/**
 * Sells: takes stock and writes orders, all or nothing. Or it takes stock and holds it for a while.
 *
 * Purchases that arrive while others are being committed are committed together, in order of arrival, under the row
 * locks of their products: one flush to disk pays for all of them. See docs/decisions/0003-order-batching.md.
 */
@Injectable()
export class OrderService {
  private readonly sales: Batcher<Purchase, Order>;
  private readonly holds: Batcher<Hold, Reservation>;
  private readonly locks: Record<'all' | 'free', string>;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly cache: ProductCache,
    private readonly dispatcher: OrderDispatcher,
    private readonly optimistic: OptimisticSaleService,
    private readonly config: Config,
  ) {
    this.locks = lockTextsOf(transactions.manager);
    this.sales = new Batcher<Purchase, Order>(
      async (purchases, turn) => this.announce(await this.take(purchases, saleOf, turn), purchases),
      BATCHING(),
    );
    this.holds = new Batcher<Hold, Reservation>(
      async (holds, turn) => this.forget(await this.take(holds, holdOf, turn), holds),
      BATCHING(),
    );
  }

  /**
   * Buys all items or none of them. When it returns, the order is on disk and its stock is taken. The worker is told
   * after that, without waiting for Redis: should the word be lost, the sweep finds the `pending` row. A buyer who is
   * gone (`isGone`) before the turn has come is not charged.
   *
   * @throws ValidationError, ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError: nothing has changed.
   * @throws LockTimeoutError, OverloadedError when it takes too long to get a turn: nothing has changed.
   * @throws KeyTakenError when its idempotency key was used: nothing has changed.
   */
  async create({ items, request }: Purchase, isGone?: () => boolean): Promise<Order> {
    const purchase = { items: mergeItems(items), request };
    if (this.config.orders.locking === 'pessimistic') return this.sales.submit(purchase, isGone);
    const [outcome] = await this.announce(await Promise.allSettled([this.optimistic.sell(purchase)]), [purchase]);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason ?? new Error('A sale has neither an order nor an error');
  }

  /**
   * Takes stock for a checkout, all of it or nothing, for so many seconds. It is taken under the lock in either way of locking.
   *
   * @throws what {@link create} throws.
   */
  async hold({ items, ...hold }: Hold, isGone?: () => boolean): Promise<Reservation> {
    return this.holds.submit({ ...hold, items: mergeItems(items) }, isGone);
  }

  /** Tells after the commit everybody who has to know. */
  private async announce(
    outcomes: readonly Outcome<Order>[],
    purchases: readonly Purchase[],
  ): Promise<readonly Outcome<Order>[]> {
    await this.forget(outcomes, purchases);
    for (const outcome of outcomes) if (outcome.status === 'fulfilled') this.dispatcher.dispatch(outcome.value.id);
    return outcomes;
  }

  /** Drops what is cached of the products whose stock has changed: also when it cannot be known whether it has. */
  private async forget<T extends Purchase>(
    outcomes: readonly Outcome<T>[],
    purchases: readonly Purchase[],
  ): Promise<readonly Outcome<T>[]> {
    const taken = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    const isUnknown = outcomes.some(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof NoAnswerError,
    );
    await this.cache.drop(productIdsOf(isUnknown ? purchases : taken));
    return outcomes;
  }

  /** Takes stock for all of them. What fails for all is the outcome of each. */
  private async take<P extends Purchase, Row extends QueryResultRow, T>(
    purchases: readonly P[],
    writesOf: WritesOf<P, Row, T>,
    turn: Turn,
  ): Promise<Outcome<T>[]> {
    return this.takeTogether(purchases, writesOf, turn).catch((reason: unknown) =>
      purchases.flatMap(() => rejectedBy(reason)),
    );
  }

  /**
   * In one transaction. When it fails with nothing committed, for a reason that may concern one of many, those are served
   * that need no product somebody else holds, or all of them one by one: no purchase fails for a neighbour.
   */
  private async takeTogether<P extends Purchase, Row extends QueryResultRow, T>(
    purchases: readonly P[],
    writesOf: WritesOf<P, Row, T>,
    turn?: Turn,
  ): Promise<Outcome<T>[]> {
    try {
      return await this.takeLocked(purchases, writesOf, { which: 'all', turn }).catch((error: unknown) => {
        if (!hasWaitedTooLong(error)) throw error;
        return this.takeLocked(purchases, writesOf, { which: 'free' });
      });
    } catch (error) {
      if (purchases.length === 1 && isDuplicate(error)) throw new KeyTakenError();
      if (purchases.length === 1 || !mayConcernOne(error)) throw error;
      return this.takeOneByOne(purchases, writesOf);
    }
  }

  private async takeOneByOne<P extends Purchase, Row extends QueryResultRow, T>(
    purchases: readonly P[],
    writesOf: WritesOf<P, Row, T>,
  ): Promise<Outcome<T>[]> {
    const deadline = performance.now() + LIMITS.oneByOneMs;
    const outcomes: Outcome<T>[] = [];
    for (const purchase of purchases) {
      if (performance.now() > deadline) outcomes.push(...rejectedBy(new DatabaseUnavailableError()));
      else outcomes.push(...(await this.takeTogether([purchase], writesOf).catch(rejectedBy)));
    }
    return outcomes;
  }

  /**
   * Locks `all` products, however long others hold them, or only the `free` ones. Who came while the locks were waited for is
   * served with the rest.
   */
  private async takeLocked<P extends Purchase, Row extends QueryResultRow, T>(
    purchases: readonly P[],
    writesOf: WritesOf<P, Row, T>,
    { which, turn }: { which: 'all' | 'free'; turn?: Turn },
  ): Promise<Outcome<T>[]> {
    const lock: QueryConfig = { name: `lock-${which}`, text: this.locks[which], values: [productIdsOf(purchases)] };
    const requests = purchases.flatMap(({ request }) => request ?? []);
    return this.transactions.lockThenWrite({
      lock,
      read: requests.length > 0 ? selectTakenKeys(requests) : undefined,
      decide: (locked: readonly LockedProduct[], taken: readonly { key: string }[]) => {
        turn?.takeLate();
        return writesOf(purchases, decide(purchases, { locked, takenKeys: taken.map(({ key }) => key) }));
      },
      onEnding: turn?.freeKeys,
    });
  }
}

/**
 * Locks in ascending id, as everywhere: two transactions of the same products wait for each other instead of deadlocking.
 * Of the products that somebody else holds, `free` gives the id alone and does not wait.
 */
function lockTextsOf(manager: EntityManager): Record<'all' | 'free', string> {
  const products = manager
    .createQueryBuilder(Product, 'product')
    .select(['product.id AS id', 'product.price AS price', 'product.stock AS stock'])
    .where('product.id = ANY (:ids)', { ids: [] })
    .orderBy('product.id')
    .setLock('pessimistic_write');
  const [all] = products.getQueryAndParameters();
  const [free] = products.setOnLocked('skip_locked').getQueryAndParameters();
  return {
    all,
    free: `SELECT products.id, free.price, free.stock FROM products LEFT JOIN (${free}) AS free USING (id)
           WHERE products.id = ANY ($1) AND products.deleted_at IS NULL`,
  };
}

function rejectedBy(reason: unknown): PromiseRejectedResult[] {
  return [{ status: 'rejected', reason }];
}

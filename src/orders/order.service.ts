import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { QueryConfig } from 'pg';
import type { EntityManager, Repository } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { Batcher, type Turn } from '../common/batcher.js';
import { NoAnswerError } from '../common/no-answer.error.js';
import { Config } from '../config/config.js';
import {
  DatabaseUnavailableError,
  hasWaitedTooLong,
  isDuplicate,
  isImpossibleValue,
  translateDatabaseError,
} from '../database/database-errors.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { isFinal, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { keepErrors, selectTakenKeys } from '../idempotency/idempotency-keys.js';
import { Product } from '../products/product.entity.js';
import { explainRefusal, optimisticSaleOf } from './optimistic-sale.js';
import { decide, type LockedProduct, saleOf } from './order-batch.js';
import { OrderDispatcher } from './order-dispatcher.js';
import { Order } from './order.entity.js';
import { productIdsOf, type Purchase } from './purchase.js';
import { mergeItems } from './requested-item.js';

/**
 * Two batches in flight, of different products unless the first is committing already: else they would only wait for each
 * other's locks. So a product that somebody else holds keeps one of them waiting, and its own buyers.
 */
const BATCHING = { maxBatchSize: 100, maxInFlight: 2, maxWaiting: 2_000, maxWaitMs: 1_000, keysOf: needsOf };
/** How long a batch that failed as a whole may go on one by one; a healthy database needs a tenth of it. */
const ONE_BY_ONE_TIMEOUT_MS = 1_000;
/** How often an optimistic sale is tried again that was refused for stock which has come back since. */
const MAX_RETRIES = 3;
const RETRY_TIMEOUT_MS = 1_000;

type Outcome<T> = PromiseSettledResult<T>;

/**
 * Sells: takes stock and writes orders, all or nothing.
 *
 * Purchases that arrive while others are being committed are committed together, in order of arrival, under the row
 * locks of their products: one flush to disk pays for all of them. See docs/decisions/0003-order-batching.md.
 */
@Injectable()
export class OrderService {
  private readonly batcher: Batcher<Purchase, Order>;
  private readonly locks: Record<'all' | 'free', string>;

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly transactions: TransactionRunner,
    private readonly cache: ProductCache,
    private readonly dispatcher: OrderDispatcher,
    private readonly config: Config,
  ) {
    this.locks = lockTextsOf(orders.manager);
    this.batcher = new Batcher(
      (purchases, turn) => this.tellAll(purchases, () => this.sellTogether(purchases, turn)),
      BATCHING,
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
    if (this.config.orders.locking === 'pessimistic') return this.batcher.submit(purchase, isGone);
    const [outcome] = await this.tellAll([purchase], async () => [
      { status: 'fulfilled', value: await this.sellOptimistically(purchase) },
    ]);
    if (outcome?.status === 'fulfilled') return outcome.value;
    throw outcome?.reason ?? new Error('A sale has neither an order nor an error');
  }

  /** Sells, and tells after the commit everybody who has to know: also when it cannot be known whether it took place. */
  private async tellAll(
    purchases: readonly Purchase[],
    sell: () => Promise<Outcome<Order>[]>,
  ): Promise<Outcome<Order>[]> {
    const outcomes = await sell().catch((reason: unknown) => purchases.flatMap(() => rejectedBy(reason)));
    const orders = outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : []));
    const isUnknown = outcomes.some(
      (outcome) => outcome.status === 'rejected' && outcome.reason instanceof NoAnswerError,
    );
    await this.cache.drop(productIdsOf(isUnknown ? purchases : orders));
    for (const { id } of orders) this.dispatcher.dispatch(id);
    return outcomes;
  }

  /**
   * In one transaction. When it fails with nothing committed, for a reason that may concern one of many, those are sold
   * that need no product somebody else holds, or all of them one by one: no purchase fails for a neighbour.
   */
  private async sellTogether(purchases: readonly Purchase[], turn?: Turn): Promise<Outcome<Order>[]> {
    try {
      return await this.sellLocked(purchases, { which: 'all', turn });
    } catch (error) {
      if (hasWaitedTooLong(error)) return this.sellLocked(purchases, { which: 'free' });
      if (purchases.length === 1 && isDuplicate(error)) throw new KeyTakenError();
      if (purchases.length === 1 || !concernsOne(error)) throw error;
      return this.sellOneByOne(purchases);
    }
  }

  private async sellOneByOne(purchases: readonly Purchase[]): Promise<Outcome<Order>[]> {
    const deadline = performance.now() + ONE_BY_ONE_TIMEOUT_MS;
    const outcomes: Outcome<Order>[] = [];
    for (const purchase of purchases) {
      if (performance.now() > deadline) outcomes.push(...rejectedBy(new DatabaseUnavailableError()));
      else outcomes.push(...(await this.sellTogether([purchase]).catch(rejectedBy)));
    }
    return outcomes;
  }

  /**
   * Locks `all` products, however long others hold them, or only the `free` ones. Who came while the locks were waited for is
   * served with the rest.
   */
  private async sellLocked(
    purchases: readonly Purchase[],
    { which, turn }: { which: 'all' | 'free'; turn?: Turn },
  ): Promise<Outcome<Order>[]> {
    const lock: QueryConfig = { name: `lock-${which}`, text: this.locks[which], values: [productIdsOf(purchases)] };
    const keys = purchases.flatMap(({ request }) => request?.key ?? []);
    return this.transactions.lockThenWrite({
      lock,
      read: keys.length > 0 ? selectTakenKeys(keys) : undefined,
      decide: (locked: readonly LockedProduct[], taken: readonly { key: string }[]) => {
        turn?.takeLate();
        return saleOf(purchases, decide(purchases, { locked, takenKeys: taken.map(({ key }) => key) }));
      },
      onEnding: turn?.freeKeys,
    });
  }

  private async sellOptimistically(purchase: Purchase): Promise<Order> {
    let failure: Error = new DatabaseUnavailableError();
    const deadline = performance.now() + RETRY_TIMEOUT_MS;
    for (let attempt = 0; attempt <= MAX_RETRIES && performance.now() < deadline; attempt++) {
      const order = await this.transactions.write(optimisticSaleOf(purchase)).catch((error: unknown) => {
        if (isDuplicate(error)) throw new KeyTakenError();
        if (!isImpossibleValue(error)) throw error;
        if (error instanceof Error) failure = error;
        return undefined;
      });
      if (order !== undefined) return order;
      await explainRefusal(this.orders.manager, purchase.items).catch((error: unknown) => this.refuse(purchase, error));
    }
    throw failure;
  }

  /** Keeps a refusal for who asks again with the key, unless somebody has been given another outcome meanwhile. */
  private async refuse({ request }: Purchase, error: unknown): Promise<never> {
    if (request !== undefined && isFinal(error)) {
      const kept = await this.transactions.writeRepeatable(keepErrors([{ request, error }]));
      if (kept.length === 0) throw new KeyTakenError();
    }
    throw error;
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

/** What a purchase needs for itself: its products, and its key. */
function needsOf(purchase: Purchase): (number | string)[] {
  const productIds = productIdsOf([purchase]);
  return purchase.request === undefined ? productIds : [...productIds, purchase.request.key];
}

/**
 * Whether a batch may have failed for one of its purchases. One that PostgreSQL was too busy or not there for has failed
 * for all; and one that may be committed must not be sold a second time.
 */
function concernsOne(error: unknown): boolean {
  const isDatabase = error instanceof DatabaseUnavailableError || translateDatabaseError(error) !== undefined;
  return !(error instanceof NoAnswerError) && !isDatabase;
}

function rejectedBy(reason: unknown): PromiseRejectedResult[] {
  return [{ status: 'rejected', reason }];
}

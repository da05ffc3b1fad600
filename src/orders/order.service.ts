import { Injectable } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import type { EntityManager, Repository } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { Batcher } from '../common/batcher.js';
import { NoAnswerError } from '../common/no-answer.error.js';
import { offsetOf, type Page, toPage } from '../common/page.js';
import { Config } from '../config/config.js';
import { DatabaseUnavailableError, isConnectionError, isLockTimeout } from '../database/database-errors.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import type { ListOrdersQuery } from './dto/list-orders.query.js';
import { takeOptimistically } from './optimistic-stock.js';
import { decide, lockFreeProducts, lockProducts, takeStock, writeOrders } from './order-batch.js';
import { OrderDispatcher } from './order-dispatcher.js';
import { Order } from './order.entity.js';
import { OrderNotFoundError } from './order.errors.js';
import { mergeItems, type RequestedItem } from './requested-item.js';

/** Batches in flight: one that commits and one that forms its transaction meanwhile. */
const BATCHING = { maxBatchSize: 100, maxInFlight: 2, maxWaiting: 2_000, maxWaitMs: 1_000 };

type Purchase = readonly RequestedItem[];
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

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
    private readonly transactions: TransactionRunner,
    private readonly cache: ProductCache,
    private readonly dispatcher: OrderDispatcher,
    private readonly config: Config,
  ) {
    this.batcher = new Batcher((purchases) => this.sellTogether(purchases), BATCHING);
  }

  /**
   * Buys all items or none of them. When it returns, the order is on disk and its stock is taken. The worker is told
   * after that, without waiting for Redis: should the word be lost, the sweep finds the `pending` row. A buyer who is
   * gone (`isGone`) before the turn has come is not charged.
   *
   * @throws ValidationError, ProductNotFoundError, InsufficientStockError, OrderTotalTooLargeError: nothing has changed.
   * @throws LockTimeoutError, OverloadedError when it takes too long to get a turn: nothing has changed.
   */
  async create(requested: Purchase, isGone?: () => boolean): Promise<Order> {
    const items = mergeItems(requested);
    if (this.config.orders.locking === 'pessimistic') return this.batcher.submit(items, isGone);
    const order = await this.transactions.run((manager) => this.sellOptimistically(manager, items));
    await this.announce([order]);
    return order;
  }

  async list({ status, ...request }: ListOrdersQuery): Promise<Page<Order>> {
    const [orders, total] = await this.orders.findAndCount({
      where: status === undefined ? {} : { status },
      relations: { items: true },
      relationLoadStrategy: 'query',
      order: { id: 'DESC' },
      skip: offsetOf(request),
      take: request.page_size,
    });
    return toPage(orders, total, request);
  }

  /** @throws OrderNotFoundError */
  async get(id: number): Promise<Order> {
    const order = await this.orders.findOne({ where: { id }, relations: { items: true } });
    return order ?? this.throwNotFound(id);
  }

  /**
   * The order without its items.
   *
   * @throws OrderNotFoundError
   */
  async getStatus(id: number): Promise<Order> {
    const order = await this.orders.findOneBy({ id });
    return order ?? this.throwNotFound(id);
  }

  /** One outcome for each purchase, and after the commit everybody is told who has to know. */
  private async sellTogether(purchases: readonly Purchase[]): Promise<Outcome<Order>[]> {
    try {
      const outcomes = await this.sellAll(purchases);
      await this.announce(outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [])));
      return outcomes;
    } catch (error) {
      if (error instanceof NoAnswerError) await this.cache.drop(idsOf(purchases));
      throw error;
    }
  }

  /**
   * In one transaction. When it fails with nothing committed, for a reason that may concern one of many, those are sold
   * that need no product somebody else holds, or all of them one by one: no purchase fails for a neighbour.
   */
  private async sellAll(purchases: readonly Purchase[]): Promise<Outcome<Order>[]> {
    try {
      return await this.transactions.run((manager) => this.sellLocked(manager, purchases, lockProducts));
    } catch (error) {
      if (isLockTimeout(error)) {
        return this.transactions.run((manager) => this.sellLocked(manager, purchases, lockFreeProducts));
      }
      if (purchases.length === 1 || mayBeCommitted(error)) throw error;
      const apart: Outcome<Order>[] = [];
      for (const purchase of purchases) apart.push(...(await this.sellAll([purchase]).catch(rejectedBy)));
      return apart;
    }
  }

  private async sellLocked(
    manager: EntityManager,
    purchases: readonly Purchase[],
    lock: typeof lockProducts,
  ): Promise<Outcome<Order>[]> {
    const decisions = decide(purchases, await lock(manager, idsOf(purchases)));
    const sold = decisions.flatMap((decision) => (decision.status === 'fulfilled' ? [decision.value] : []));
    if (sold.length === 0) return decisions.filter((decision) => decision.status === 'rejected');
    await takeStock(manager, sold.flat());
    const orders = await writeOrders(manager, sold);
    return decisions.map((decision) => {
      if (decision.status === 'rejected') return decision;
      const value = orders.shift();
      if (value === undefined) throw new Error('PostgreSQL returned fewer orders than were written');
      return { status: 'fulfilled', value };
    });
  }

  private async sellOptimistically(manager: EntityManager, items: Purchase): Promise<Order> {
    const [order] = await writeOrders(manager, [await takeOptimistically(manager, items)]);
    if (order === undefined) throw new Error('PostgreSQL returned no order');
    return order;
  }

  /** After the commit: what is cached of the products is old, and the worker has something to do. */
  private async announce(orders: readonly Order[]): Promise<void> {
    const items = orders.flatMap((order) => order.items);
    await this.cache.drop([...new Set(items.map(({ productId }) => productId))]);
    for (const { id } of orders) this.dispatcher.dispatch(id);
  }

  private throwNotFound(id: number): never {
    throw new OrderNotFoundError(id);
  }
}

function idsOf(purchases: readonly Purchase[]): number[] {
  return [...new Set(purchases.flat().map(({ productId }) => productId))];
}

/** Such a batch must not be sold again: it could be the second time, or there is no connection to sell it by. */
function mayBeCommitted(error: unknown): boolean {
  return error instanceof NoAnswerError || error instanceof DatabaseUnavailableError || isConnectionError(error);
}

function rejectedBy(reason: unknown): Outcome<Order>[] {
  return [{ status: 'rejected', reason }];
}

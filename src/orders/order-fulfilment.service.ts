import { Injectable, Logger } from '@nestjs/common';
import type { QueryConfig } from 'pg';
import type { EntityManager } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { Batcher } from '../common/batcher.js';
import { hasWaitedTooLong } from '../database/database-errors.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';
import { changeStatus, type ReachedStatus } from './status-change.js';

/** The jobs in flight bound what waits, and a job that has waited long is better finished than refused. */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: Infinity, maxWaitMs: Infinity };

/** A claim that is lost with PostgreSQL is made again, and so need not be waited for until it is on disk. */
const WITHOUT_FLUSH: QueryConfig = { text: 'SET LOCAL synchronous_commit TO off' };

/** Moves an order from `pending` to its end. Delivered twice, or raced by another worker, it has one effect. */
@Injectable()
export class OrderFulfilmentService {
  private readonly logger = new Logger(OrderFulfilmentService.name);

  /** Changes that come up while others are being committed are committed together. */
  private readonly claims = new Batcher<number, boolean>((ids) => this.changeTogether(ids, 'processing'), BATCHING);
  private readonly completions = new Batcher<number, boolean>((ids) => this.changeTogether(ids, 'completed'), BATCHING);

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly gateway: FulfilmentGateway,
    private readonly cache: ProductCache,
  ) {}

  /**
   * Claims the order, makes the external call and completes the order; an order that has ended already is left alone.
   * When the call fails on the last attempt, the order fails and its stock goes back, exactly once.
   *
   * @throws what the external call threw, so that the queue tries again or keeps the job as failed.
   */
  async process(orderId: number, lastAttempt: boolean): Promise<void> {
    if (!(await this.claims.submit(orderId))) return;
    try {
      await this.gateway.fulfil(orderId);
    } catch (error) {
      if (lastAttempt) await this.fail(orderId, error);
      throw error;
    }
    if (await this.completions.submit(orderId)) this.logger.log(`Order #${orderId} Processed.`);
    else if (await this.claims.submit(orderId)) throw new Error(`The claim of order #${orderId} was lost`);
  }

  /** An order whose row somebody else holds must not keep its neighbours: then each is changed by itself. */
  private async changeTogether(ids: readonly number[], to: ReachedStatus): Promise<PromiseSettledResult<boolean>[]> {
    return this.change(ids, to).catch(async (error: unknown) => {
      if (ids.length === 1 || !hasWaitedTooLong(error)) throw error;
      const outcomes = await Promise.allSettled(ids.map((id) => this.change([id], to)));
      return outcomes.flatMap((outcome) => (outcome.status === 'fulfilled' ? outcome.value : [outcome]));
    });
  }

  private async change(ids: readonly number[], to: ReachedStatus): Promise<PromiseSettledResult<boolean>[]> {
    return this.transactions.write({
      statements: to === 'processing' ? [WITHOUT_FLUSH, changeStatus(ids, to)] : [changeStatus(ids, to)],
      toResult: (rows: readonly { id: number }[]) => {
        const changed = new Set(rows.map(({ id }) => id));
        return ids.map((id) => ({ status: 'fulfilled', value: changed.has(id) }));
      },
    });
  }

  private async fail(orderId: number, cause: unknown): Promise<void> {
    const released = await this.transactions.run(async (manager) => {
      const { text, values } = changeStatus([orderId], 'failed');
      const [failed]: [{ id: number }[], number] = await manager.query(text, values);
      return failed.length > 0 ? this.releaseStock(manager, orderId) : [];
    });
    await this.cache.drop(released);
    this.logger.warn(`Order #${orderId} failed and its stock went back: ${String(cause)}`);
  }

  /**
   * Puts the order's units back, also onto products that were deleted since. The column's end is a bound: units that
   * were written over by a later stock-taking up to it have nowhere to go.
   */
  private async releaseStock(manager: EntityManager, orderId: number): Promise<number[]> {
    const [rows]: [{ id: number }[], number] = await manager.query(
      `WITH locked AS (
         SELECT products.id, order_items.quantity
         FROM products JOIN order_items ON order_items.product_id = products.id
         WHERE order_items.order_id = $1
         ORDER BY products.id
         FOR UPDATE OF products
       )
       UPDATE products SET stock = LEAST(stock::bigint + locked.quantity, 2147483647)
       FROM locked WHERE products.id = locked.id
       RETURNING products.id`,
      [orderId],
    );
    return rows.map(({ id }) => id);
  }
}

import { Injectable, Logger } from '@nestjs/common';
import { InjectRepository } from '@nestjs/typeorm';
import { type EntityManager, In, type Repository } from 'typeorm';
import { ProductCache } from '../cache/product-cache.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';
import { ENTERED_FROM, type OrderStatus } from './order-status.js';
import { Order } from './order.entity.js';

/** Moves an order from `pending` to its end. Delivered twice, or raced by another worker, it has one effect. */
@Injectable()
export class OrderFulfilmentService {
  private readonly logger = new Logger(OrderFulfilmentService.name);

  constructor(
    @InjectRepository(Order) private readonly orders: Repository<Order>,
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
    if (!(await this.move(this.orders.manager, orderId, 'processing'))) return;
    try {
      await this.gateway.fulfil(orderId);
    } catch (error) {
      if (lastAttempt) await this.fail(orderId, error);
      throw error;
    }
    if (await this.move(this.orders.manager, orderId, 'completed')) this.logger.log(`Order #${orderId} Processed.`);
  }

  private async fail(orderId: number, cause: unknown): Promise<void> {
    const released = await this.transactions.run(async (manager) => {
      if (!(await this.move(manager, orderId, 'failed'))) return [];
      return this.releaseStock(manager, orderId);
    });
    await this.cache.drop(released);
    this.logger.warn(`Order #${orderId} failed and its stock went back: ${String(cause)}`);
  }

  /** The conditional transition: of two that race for the same move, one changes the row. */
  private async move(manager: EntityManager, id: number, to: Exclude<OrderStatus, 'pending'>): Promise<boolean> {
    const { affected } = await manager.update(Order, { id, status: In(ENTERED_FROM[to]) }, { status: to });
    return affected === 1;
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

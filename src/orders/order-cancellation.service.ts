import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { ProductCache } from '../products/product-cache.js';
import type { TextAnswer } from '../http/text-answer.js';
import { CONFIRM_READ } from '../database/commit.js';
import { readPrepared } from '../database/prepared-statement.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { CancellationHints } from './cancellation-hints.js';
import { OrderResponse } from './dto/order.response.js';
import { OrderNotCancellableError, OrderNotFoundError } from './order.errors.js';
import { Order } from './order.entity.js';
import { type OrderEvent, selectEvents } from './order-event.js';
import { changeStatus } from './status-change.js';
import { releaseStock } from '../stock/stock-release.js';

/** What an order goes through beside being bought and worked on. */
@Injectable()
export class OrderLifeService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly cache: ProductCache,
    private readonly idempotency: IdempotencyService,
    private readonly hints: CancellationHints,
  ) {}

  /**
   * Cancels an order that has not come to its end and puts its stock back, once: an order that is cancelled already is
   * given as it is. Of a worker that ends the order and a customer who cancels it, one wins: the row is changed once.
   *
   * @throws OrderNotFoundError
   * @throws OrderNotCancellableError when it is too late.
   */
  async cancel(id: number, reason: string | undefined, request?: IdempotentRequest): Promise<TextAnswer> {
    const cause = reason === undefined ? 'cancelled' : `cancelled: ${reason}`;
    let released: number[] = [];
    try {
      return await this.idempotency.run(request, async (manager) => {
        const { text, values } = changeStatus([{ orderId: id, cause }], 'cancelled');
        const cancelled = await manager.query<{ id: number }[]>(text, values);
        if (cancelled.length > 0) released = await releaseStock(manager, { source: 'order', ids: [id], reason: cause });
        const order = await manager.findOne(Order, { where: { id }, relations: { items: true } });
        if (order === null) throw new OrderNotFoundError(id);
        if (order.status !== 'cancelled') throw new OrderNotCancellableError(id, order.status);
        if (cancelled.length === 0) await manager.query(CONFIRM_READ);
        return OrderResponse.of(order);
      });
    } finally {
      if (released.length > 0) this.hints.publish(id);
      await this.cache.drop(released);
    }
  }

  /**
   * The history of an order, from its beginning.
   *
   * @throws OrderNotFoundError
   */
  async events(id: number): Promise<OrderEvent[]> {
    const rows = await readPrepared<OrderEvent | { id: null }>(this.dataSource, selectEvents(id));
    if (rows.length === 0) throw new OrderNotFoundError(id);
    return rows.filter((row) => row.id !== null);
  }
}

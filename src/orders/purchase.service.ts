import { Injectable } from '@nestjs/common';
import { IdempotencyKeyInUseError, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import type { Order } from './order.entity.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrderService } from './order.service.js';
import type { Purchase } from './purchase.js';

/** Sells once what is asked for twice. */
@Injectable()
export class PurchaseService {
  constructor(
    private readonly sales: OrderService,
    private readonly orders: OrderReaderService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * Buys, or gives the order that was bought with the key before, as it was then.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError, and what `OrderService.create` throws.
   */
  async buy(purchase: Purchase, isGone: () => boolean): Promise<{ order: Order; isReplayed: boolean }> {
    try {
      return { order: await this.sales.create(purchase, isGone), isReplayed: false };
    } catch (error) {
      if (!(error instanceof KeyTakenError) || purchase.request === undefined) throw error;
      return { order: await this.replay(purchase.request), isReplayed: true };
    }
  }

  /** Nothing of an order changes but its state: it is its own record of how it was answered. */
  private async replay(request: IdempotentRequest): Promise<Order> {
    const kept = await this.idempotency.find(request);
    if (kept === undefined || !('orderId' in kept)) throw new IdempotencyKeyInUseError();
    const order = await this.orders.get(kept.orderId);
    return Object.assign(order, { status: 'pending', updatedAt: order.createdAt });
  }
}

import { Injectable } from '@nestjs/common';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { IdempotencyKeyInUseError } from '../../idempotency/idempotency.errors.js';
import { IdempotencyService } from '../../idempotency/idempotency.service.js';
import type { KeptOutcome, Performed } from '../../idempotency/idempotent-request.js';
import type { Order } from '../order.entity.js';
import { OrderReaderService } from '../order-reader.service.js';
import { OrderService } from './order.service.js';
import type { Purchase } from './sale.js';

/** Buys; a repeated request with the same key gets the order of the first one. */
@Injectable()
export class PurchaseService {
  constructor(
    private readonly purchases: OrderService,
    private readonly orders: OrderReaderService,
    private readonly idempotency: IdempotencyService,
    private readonly transactions: TransactionRunner,
  ) {}

  /**
   * Buys products; or gives the order that was bought with the key before, as it was then.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError
   * @throws what `OrderService.create` throws, except for `KeyTakenError`.
   */
  async buy(purchase: Purchase, isGone: () => boolean): Promise<Performed<Order>> {
    return this.idempotency.runOrReplay(
      purchase.request,
      () => this.purchases.create(purchase, isGone),
      (kept) => this.replay(kept),
    );
  }

  /** Nothing of an order changes but its status: it is its own record of how it was answered. */
  private async replay({ orderId }: KeptOutcome): Promise<Order> {
    if (orderId === undefined) throw new IdempotencyKeyInUseError();
    const order = await this.orders.find({ id: orderId, owner: null }, this.transactions.manager);
    return Object.assign(order, { status: 'pending', updatedAt: order.createdAt });
  }
}

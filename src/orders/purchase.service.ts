import { Injectable } from '@nestjs/common';
import type { TextAnswer } from '../common/text-answer.js';
import { IdempotencyKeyInUseError, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { type CreateOrderDto, requestedItemsOf } from './dto/create-order.dto.js';
import { OrderResponse } from './dto/order.response.js';
import type { Order } from './order.entity.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrderService } from './order.service.js';
import { ReservationService } from './reservation.service.js';

/** Sells once what is asked for twice. */
@Injectable()
export class PurchaseService {
  constructor(
    private readonly sales: OrderService,
    private readonly reservations: ReservationService,
    private readonly orders: OrderReaderService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /**
   * Buys products, or what is held of them; or gives the order that was bought with the key before, as it was then.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError
   * @throws what `OrderService.create` and `ReservationService.confirm` throw.
   */
  async buy(
    { dto, request }: { dto: CreateOrderDto; request: IdempotentRequest | undefined },
    isGone: () => boolean,
  ): Promise<TextAnswer> {
    if (dto.reservation_id !== undefined) return this.reservations.confirm(dto.reservation_id, request);
    try {
      return toAnswer(await this.sales.create({ items: requestedItemsOf(dto), request }, isGone));
    } catch (error) {
      if (!(error instanceof KeyTakenError) || request === undefined) throw error;
      return { ...toAnswer(await this.replay(request)), isReplayed: true };
    }
  }

  /** Nothing of an order changes but its state: it is its own record of how it was answered. */
  private async replay(request: IdempotentRequest): Promise<Order> {
    const kept = await this.idempotency.find(request);
    if (kept?.orderId === undefined) throw new IdempotencyKeyInUseError();
    const order = await this.orders.get(kept.orderId);
    return Object.assign(order, { status: 'pending', updatedAt: order.createdAt });
  }
}

function toAnswer(order: Order): TextAnswer {
  return { text: JSON.stringify(OrderResponse.of(order)) };
}

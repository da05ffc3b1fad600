import { Injectable } from '@nestjs/common';
import type { TextAnswer } from '../../http/text-answer.js';
import { IdempotencyKeyInUseError, KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { IdempotencyService } from '../../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../../idempotency/idempotent-request.js';
import { type CreateOrderDto, requestedItemsOf } from '../dto/create-order.dto.js';
import { OrderResponse } from '../dto/order.response.js';
import type { Order } from '../order.entity.js';
import { OrderReaderService } from '../order-reader.service.js';
import { OrderService } from './order.service.js';
import { ReservationResponse } from '../../reservations/dto/reservation.response.js';
import type { Purchase } from '../../stock/stock-request.js';
import type { Hold, Reservation } from '../../reservations/reservation.js';
import { ReservationService } from '../../reservations/reservation.service.js';

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
    const purchase = { items: requestedItemsOf(dto), request };
    return once(
      purchase,
      async () => toAnswer(OrderResponse.of(await this.sales.create(purchase, isGone))),
      async (key) => toAnswer(OrderResponse.of(await this.replayOrder(key))),
    );
  }

  /**
   * Holds stock for a checkout; or gives the reservation that was made with the key before, as it was then.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError
   * @throws what `OrderService.hold` throws.
   */
  async hold(hold: Hold, isGone: () => boolean): Promise<TextAnswer> {
    return once(
      hold,
      async () => toAnswer(ReservationResponse.of(await this.sales.hold(hold, isGone))),
      async (key) => toAnswer(ReservationResponse.of(await this.replayReservation(key))),
    );
  }

  /** Nothing of an order changes but its state: it is its own record of how it was answered. */
  private async replayOrder(request: IdempotentRequest): Promise<Order> {
    const kept = await this.idempotency.find(request);
    if (kept?.orderId === undefined) throw new IdempotencyKeyInUseError();
    const order = await this.orders.get(kept.orderId);
    return Object.assign(order, { status: 'pending', updatedAt: order.createdAt });
  }

  /** The same of a reservation. */
  private async replayReservation(request: IdempotentRequest): Promise<Reservation> {
    const kept = await this.idempotency.find(request);
    if (kept?.reservationId === undefined) throw new IdempotencyKeyInUseError();
    const reservation = await this.reservations.get(kept.reservationId);
    return { ...reservation, status: 'held', orderId: null, updatedAt: reservation.createdAt };
  }
}

function toAnswer(response: object): TextAnswer {
  return { text: JSON.stringify(response) };
}

/** Does what is asked for; or, when its key was used, gives what was answered then. */
async function once(
  { request }: Pick<Purchase, 'request'>,
  work: () => Promise<TextAnswer>,
  replay: (request: IdempotentRequest) => Promise<TextAnswer>,
): Promise<TextAnswer> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof KeyTakenError) || request === undefined) throw error;
    return { ...(await replay(request)), isReplayed: true };
  }
}

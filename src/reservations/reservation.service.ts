import { Injectable } from '@nestjs/common';
import type { EntityManager } from 'typeorm';
import { ProductCache } from '../products/product-cache.js';
import type { TextAnswer } from '../http/text-answer.js';
import { CONFIRM_READ } from '../database/commit.js';
import { hasWaitedTooLong } from '../database/database-errors.js';
import { TransactionRunner } from '../database/transaction-runner.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { IdempotentRequest } from '../idempotency/idempotent-request.js';
import { OrderResponse } from '../orders/dto/order.response.js';
import { OrderDispatcher } from '../orders/processing/order-dispatcher.js';
import { toOrder, type WrittenOrder } from '../orders/purchase/sale.js';
import { priceHeldItems } from '../stock/priced-item.js';
import { ReservationClosedError } from './reservation.errors.js';
import type { Reservation } from './reservation.js';
import { confirmReservation, expireReservations, findLapsed, selectReservation } from './reservation-rows.js';
import { releaseStock } from '../stock/stock-release.js';

/** What becomes of stock that is held. Who ends a reservation holds the lock of its row, so it ends once. */
@Injectable()
export class ReservationService {
  constructor(
    private readonly transactions: TransactionRunner,
    private readonly cache: ProductCache,
    private readonly idempotency: IdempotencyService,
    private readonly dispatcher: OrderDispatcher,
  ) {}

  /** @throws ReservationNotFoundError */
  async get(id: number): Promise<Reservation> {
    return selectReservation(this.transactions.manager, id, { lock: false });
  }

  /**
   * Makes an order of a reservation, at the prices of this moment. No stock moves: the order takes over what is held.
   *
   * @throws ReservationNotFoundError, ProductNotFoundError
   * @throws ReservationClosedError when it holds nothing any more, by PostgreSQL's clock.
   */
  async confirm(id: number, request?: IdempotentRequest): Promise<TextAnswer> {
    let orderId: number | undefined;
    const answer = await this.idempotency.run(request, async (manager) => {
      orderId = undefined;
      const { items } = await lockHeld(manager, id);
      const priced = await priceHeldItems(manager, items);
      const written: WrittenOrder = await confirmReservation(manager, id, priced);
      orderId = written.id;
      return OrderResponse.of(toOrder(written, priced));
    });
    if (orderId !== undefined) this.dispatcher.dispatch(orderId);
    return answer;
  }

  /**
   * Lets the stock of a reservation go; one that has let go already is left as it is.
   *
   * @throws ReservationNotFoundError
   * @throws ReservationClosedError when it has become an order.
   */
  async release(id: number): Promise<void> {
    const released = await this.transactions.run(async (manager) => {
      const reservation = await selectReservation(manager, id, { lock: true });
      if (reservation.status === 'confirmed') throw new ReservationClosedError({ ...reservation, status: 'confirmed' });
      if (reservation.status !== 'held') {
        await manager.query(CONFIRM_READ);
        return [];
      }
      await manager.query(`UPDATE reservations SET status = 'released' WHERE id = $1`, [id]);
      return releaseStock(manager, { source: 'reservation', ids: [id], reason: 'the reservation was released' });
    });
    await this.cache.drop(released);
  }

  /**
   * Gives the stock of up to `limit` reservations back whose time is up, and returns how many they were. When together they take
   * too long, or somebody holds a product of one, each is ended by itself: one keeps no other.
   */
  async expire(limit: number): Promise<number> {
    const ids = await findLapsed(this.transactions.manager, limit);
    return this.expireThese(ids).catch(async (error: unknown) => {
      if (!hasWaitedTooLong(error)) throw error;
      let expired = 0;
      for (const id of ids) expired += await this.expireThese([id]).catch(() => 0);
      return expired;
    });
  }

  private async expireThese(ids: readonly number[]): Promise<number> {
    const { expired, released } = await this.transactions.run(async (manager) => {
      const ended = await expireReservations(manager, ids);
      const reason = 'the reservation expired';
      return { expired: ended, released: await releaseStock(manager, { source: 'reservation', ids: ended, reason }) };
    });
    await this.cache.drop(released);
    return expired.length;
  }
}

/** @throws ReservationNotFoundError, ReservationClosedError */
async function lockHeld(manager: EntityManager, id: number): Promise<Reservation> {
  const reservation = await selectReservation(manager, id, { lock: true });
  const { status } = reservation;
  if (status !== 'held') throw new ReservationClosedError({ ...reservation, status });
  return reservation;
}

import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { CONFIRM_READ } from '../database/transactions/commit.js';
import { READS } from '../database/data-source-options.js';
import { queryWithin } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { IdempotencyKeyInUseError } from '../idempotency/idempotency.errors.js';
import { IdempotencyService } from '../idempotency/idempotency.service.js';
import type { KeptOutcome, Performed } from '../idempotency/idempotent-request.js';
import type { OwnedId } from '../kernel/access/owner.js';
import { currentOrigin } from '../runtime/request-context.js';
import { PRODUCT_LOCKS } from '../stock/stock-rows.js';
import { mergeItems } from '../stock/requested-item.js';
import { StockChanges } from '../stock/stock-changes.js';
import { StockPipeline } from '../stock/pipeline/stock-pipeline.js';
import { tallyHolds } from './hold-tally.js';
import { ReservationClosedError } from './reservation.errors.js';
import { type Reservation, type ReservationRequest, toReservations } from './reservation.js';
import { lockReservation, selectReservation } from './reservation-rows.js';
import {
  giveBackHeld,
  releaseHeldStock,
  releaseReservation,
  writeReservations,
  type WrittenReservation,
} from './reservation-writer.js';

/** Stock that is held for a checkout, until it is released or its time is up. */
@Injectable()
export class ReservationService {
  private readonly holds: StockPipeline<ReservationRequest, WrittenReservation, Reservation>;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly changes: StockChanges,
    private readonly idempotency: IdempotencyService,
    @InjectDataSource(READS) private readonly reads: DataSource,
    config: Config,
  ) {
    this.holds = new StockPipeline(transactions, changes, {
      locks: PRODUCT_LOCKS,
      write: writeReservations,
      toResults: toReservations,
      tally: (requests, products, transaction) => {
        const limits = { percent: config.holdLimitPercent, reservations: LIMITS.customerReservations };
        return tallyHolds(requests, { products, limits }, transaction);
      },
    });
  }

  /**
   * Holds all items or none; or gives the reservation that was made with the key before, as it was then.
   *
   * @throws IdempotencyKeyReusedError, IdempotencyKeyInUseError
   * @throws what `StockPipeline.submit` throws, except for `KeyTakenError`.
   */
  async hold({ items, ...hold }: ReservationRequest, isGone: () => boolean): Promise<Performed<Reservation>> {
    return this.idempotency.runOrReplay(
      hold.request,
      () => this.holds.submit({ ...hold, items: mergeItems(items), origin: currentOrigin() }, isGone),
      (kept) => this.replay(kept),
    );
  }

  /** @throws ReservationNotFoundError */
  async get(reservation: OwnedId): Promise<Reservation> {
    return selectReservation(this.reads.manager, reservation);
  }

  /**
   * Releases a reservation. One that is released or expired already is left as it is.
   *
   * @throws ReservationNotFoundError
   * @throws ReservationClosedError when it has become an order.
   */
  async release({ id, owner }: OwnedId): Promise<void> {
    const released = await this.transactions.run(async (manager) => {
      const reservation = await lockReservation(manager, { id, owner });
      if (reservation.status === 'confirmed') throw new ReservationClosedError({ ...reservation, status: 'confirmed' });
      if (reservation.status !== 'held') {
        await manager.query(CONFIRM_READ);
        return [];
      }
      await queryWithin(manager, releaseReservation(id));
      const release = releaseHeldStock([id], 'the reservation was released', currentOrigin());
      const products = await queryWithin<{ id: number }>(manager, release);
      if (reservation.customerRef !== null) await queryWithin(manager, giveBackHeld([id]));
      return products;
    });
    await this.changes.announce(released.map((product) => product.id));
  }

  /** Nothing of a reservation changes but its status and its order: it is its own record of how it was answered. */
  private async replay({ reservationId }: KeptOutcome): Promise<Reservation> {
    if (reservationId === undefined) throw new IdempotencyKeyInUseError();
    const reservation = await selectReservation(this.transactions.manager, { id: reservationId, owner: null });
    return { ...reservation, status: 'held', orderId: null, updatedAt: reservation.createdAt };
  }
}

import { Injectable } from '@nestjs/common';
import { hasWaitedTooLong, translateDatabaseError } from '../database/database-errors.js';
import { queryWithin } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { StockChanges } from '../stock/stock-changes.js';
import { lockFreeProducts } from '../stock/stock-rows.js';
import { type DueReservation, findDue } from './reservation-rows.js';
import { expireReservations, giveBackHeld, lockDueReservations, releaseHeldStock } from './reservation-writer.js';

const BATCH_SIZE = 200;
/** How long one run may wait, in all, for products that other transactions lock. */
const WAITING_MS = 10_000;

/**
 * Gives the stock of reservations back whose time is up, many in a transaction. A run first expires what it can without waiting for a
 * lock, so that a locked product delays no reservation of another one. Then it waits for the locked products, one product after the
 * other. A reservation that cannot be expired is named in the log and delays no other one.
 */
@Injectable()
export class ReservationExpiry extends PeriodicTask {
  protected readonly intervalMs = 1_000;
  /** Reservations that could not be expired; each is named in the log once. */
  private readonly broken = new Set<number>();

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly changes: StockChanges,
  ) {
    super();
  }

  /** @throws when PostgreSQL is away; what the run did before stays done. */
  async run(): Promise<number> {
    const locked: DueReservation[] = [];
    let expired = 0;
    for (let after: DueReservation | undefined; !this.stopped;) {
      const due = await findDue(this.transactions.manager, { after, limit: BATCH_SIZE });
      after = due.at(-1);
      if (after === undefined) break;
      const done = await this.expire(due, { waits: false });
      expired += done.size;
      locked.push(...due.filter(({ id }) => !done.has(id) && !this.broken.has(id)));
    }
    return expired + (await this.expireLocked(locked));
  }

  protected override report(count: number): void {
    this.logger.info('Reservations expired', { count });
  }

  /** In random order, so that over several runs each product gets its turn. */
  private async expireLocked(due: readonly DueReservation[]): Promise<number> {
    const byProduct = [...Map.groupBy(due, ({ productIds: [first] }) => first).values()];
    const deadline = performance.now() + WAITING_MS;
    let expired = 0;
    for (const reservations of shuffled(byProduct)) {
      for (let start = 0; start < reservations.length; start += BATCH_SIZE) {
        if (this.stopped || performance.now() > deadline) return expired;
        const batch = reservations.slice(start, start + BATCH_SIZE);
        const { size } = await this.expire(batch, { waits: true });
        if (size === 0) break;
        expired += size;
      }
    }
    return expired;
  }

  /**
   * Returns the ids of those that have expired. After an error each half is tried by itself, and so on, until the one is alone that
   * cannot be expired.
   */
  private async expire(due: readonly DueReservation[], mode: { waits: boolean }): Promise<Set<number>> {
    try {
      return await this.expireTogether(due, mode);
    } catch (error) {
      if (hasWaitedTooLong(error)) return new Set();
      if (this.stopped || translateDatabaseError(error) !== undefined) throw error;
      const [first, ...others] = due;
      if (first !== undefined && others.length === 0) return this.giveUp(first, error);
      const middle = Math.ceil(due.length / 2);
      const firstHalf = await this.expire(due.slice(0, middle), mode);
      return new Set([...firstHalf, ...(await this.expire(due.slice(middle), mode))]);
    }
  }

  private async expireTogether(due: readonly DueReservation[], { waits }: { waits: boolean }): Promise<Set<number>> {
    const { ids, released } = await this.transactions.run(async (manager) => {
      const rows = await queryWithin<{ id: number }>(manager, lockDueReservations(due.map(({ id }) => id)));
      const mine = new Set(rows.map(({ id }) => id));
      const productIds = [...new Set(due.flatMap((reservation) => reservation.productIds))];
      const free = waits ? undefined : await queryWithin<{ id: number }>(manager, lockFreeProducts(productIds));
      const isFree = new Set(free?.map(({ id }) => id) ?? productIds);
      const ready = due.filter((each) => mine.has(each.id) && each.productIds.every((id) => isFree.has(id)));
      const ending = ready.map(({ id }) => id);
      if (ending.length === 0) return { ids: ending, released: [] };
      await queryWithin(manager, expireReservations(ending));
      const release = releaseHeldStock(ending, 'the reservation expired');
      const products = await queryWithin<{ id: number }>(manager, release);
      await queryWithin(manager, giveBackHeld(ending));
      return { ids: ending, released: products };
    });
    await this.changes.announce(released.map(({ id }) => id));
    for (const id of ids) this.broken.delete(id);
    return new Set(ids);
  }

  /** Each run tries it again, for somebody may mend it. */
  private giveUp({ id }: DueReservation, error: unknown): Set<number> {
    if (!this.broken.has(id))
      this.logger.error('A reservation cannot be expired, and its stock stays held', { reservation_id: id, error });
    this.broken.add(id);
    return new Set();
  }
}

function shuffled<T>(values: readonly T[]): T[] {
  return values
    .map((value) => ({ value, key: Math.random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}

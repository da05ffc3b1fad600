import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { removeEndedReservations } from './reservation-writer.js';

const BATCH_SIZE = 1_000;

/**
 * Removes reservations that were released or have expired long ago; nothing refers to them any more but the movements of their stock, which
 * stay. One that has become an order stays with the order: its hold is the order's sale.
 */
@Injectable()
export class ReservationRemoval extends PeriodicTask {
  protected readonly intervalMs = 600_000;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {
    super();
  }

  async run(): Promise<number> {
    // A request that is sent again with its key is answered by the row.
    const seconds = Math.max(LIMITS.endedReservationSeconds, this.config.idempotencyTtlSeconds);
    return this.inBatches(BATCH_SIZE, async () => {
      const statement = removeEndedReservations({ seconds, limit: BATCH_SIZE });
      return (await this.transactions.writeIdempotent(statement)).length;
    });
  }

  protected override report(count: number): void {
    this.logger.info('Reservations that ended long ago were removed', { count });
  }
}

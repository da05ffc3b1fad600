import { Injectable } from '@nestjs/common';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { ReservationService } from './reservation.service.js';

const BATCH_SIZE = 200;

/** Gives the stock of reservations back whose time is up, many in a transaction. */
@Injectable()
export class ReservationExpiry extends PeriodicTask {
  protected readonly intervalMs = 1_000;

  constructor(private readonly reservations: ReservationService) {
    super();
  }

  async run(): Promise<number> {
    return this.inBatches(BATCH_SIZE, async () => this.reservations.expire(BATCH_SIZE));
  }

  protected override report(count: number): void {
    this.logger.log(`${count} reservations expired`);
  }
}

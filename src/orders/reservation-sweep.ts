import { Injectable } from '@nestjs/common';
import { Sweep } from '../common/sweep.js';
import { ReservationService } from './reservation.service.js';

const BATCH_SIZE = 200;

/** Gives the stock of reservations back whose time is up, many in a transaction. */
@Injectable()
export class ReservationSweep extends Sweep {
  protected readonly intervalMs = 1_000;

  constructor(private readonly reservations: ReservationService) {
    super();
  }

  async run(): Promise<number> {
    let expired = 0;
    for (;;) {
      const count = await this.reservations.expire(BATCH_SIZE);
      expired += count;
      if (count < BATCH_SIZE || this.stopped) return expired;
    }
  }

  protected report(count: number): void {
    this.logger.log(`${count} reservations expired`);
  }
}

import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { StockModule } from '../stock/stock.module.js';
import { ReservationService } from './reservation.service.js';
import { ReservationsController } from './reservations.controller.js';

/** Reservations for clients. Their expiry (`ReservationExpiry`) runs in the worker, whose root provides it. */
@Module({
  imports: [StockModule, IdempotencyModule],
  controllers: [ReservationsController],
  providers: [ReservationService],
  exports: [ReservationService],
})
export class ReservationsModule {}

import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { StockModule } from '../stock/stock.module.js';
import { ReservationService } from './reservation.service.js';
import { ReservationsController } from './reservations.controller.js';

@Module({
  imports: [StockModule, IdempotencyModule],
  controllers: [ReservationsController],
  providers: [ReservationService],
  exports: [ReservationService],
})
export class ReservationsModule {}

import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { FlashSaleService } from './flash-sale.service.js';
import { FlashSalesController } from './flash-sales.controller.js';

/** Shows what the system does, on the system itself. */
@Module({
  imports: [IdempotencyModule],
  controllers: [FlashSalesController],
  providers: [FlashSaleService],
  exports: [FlashSaleService],
})
export class DemoModule {}

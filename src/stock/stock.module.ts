import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { StockChanges } from './stock-changes.js';
import { StockOperationsController } from './stock-operations.controller.js';
import { StockController } from './stock.controller.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [IdempotencyModule],
  controllers: [StockController, StockOperationsController],
  providers: [StockService, StockChanges],
  exports: [StockService, StockChanges],
})
export class StockModule {}

import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { StockChangesModule } from './stock-changes.module.js';
import { StockOperationsController } from './stock-operations.controller.js';
import { StockController } from './stock.controller.js';
import { StockService } from './stock.service.js';

@Module({
  imports: [IdempotencyModule, StockChangesModule],
  controllers: [StockController, StockOperationsController],
  providers: [StockService],
  exports: [StockService, StockChangesModule],
})
export class StockModule {}

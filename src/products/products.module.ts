import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { Product } from './product.entity.js';
import { ProductService } from './product.service.js';
import { ProductsController } from './products.controller.js';
import { StockController } from '../stock/stock.controller.js';
import { StockService } from '../stock/stock.service.js';

@Module({
  imports: [TypeOrmModule.forFeature([Product]), CacheModule, IdempotencyModule],
  controllers: [ProductsController, StockController],
  providers: [ProductService, StockService],
})
export class ProductsModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { READS } from '../database/data-source-options.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { StockModule } from '../stock/stock.module.js';
import { ProductCacheModule } from './product-cache.module.js';
import { ProductDocumentService } from './product-document.service.js';
import { ProductReaderService } from './product-reader.service.js';
import { Product } from './product.entity.js';
import { ProductService } from './product.service.js';
import { ProductsController } from './products.controller.js';

/** The catalogue. Beside its services it exports the entity `Product`, for the row lock of a purchase. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Product]),
    // An order read by its own connections refers to it.
    TypeOrmModule.forFeature([Product], READS),
    ProductCacheModule,
    StockModule,
    IdempotencyModule,
  ],
  controllers: [ProductsController],
  providers: [ProductService, ProductReaderService, ProductDocumentService],
  exports: [ProductService, ProductReaderService, TypeOrmModule],
})
export class ProductsModule {}

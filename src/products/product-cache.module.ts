import { Module } from '@nestjs/common';
import { CacheModule } from '../cache/cache.module.js';
import { StockChangesModule } from '../stock/stock-changes.module.js';
import { ProductCache } from './product-cache.js';

/** The product cache without the catalogue: every process that changes stock drops what it has made old. */
@Module({ imports: [CacheModule, StockChangesModule], providers: [ProductCache], exports: [ProductCache] })
export class ProductCacheModule {}

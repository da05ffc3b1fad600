import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { Product } from './product.entity.js';
import { ProductService } from './product.service.js';
import { ProductsController } from './products.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Product]), CacheModule],
  controllers: [ProductsController],
  providers: [ProductService],
})
export class ProductsModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { Product } from '../products/product.entity.js';
import { QueueModule } from '../queue/queue.module.js';
import { OrderDispatcher } from './order-dispatcher.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrderService } from './order.service.js';
import { OrdersController } from './orders.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderItem, Product]), CacheModule, QueueModule],
  controllers: [OrdersController],
  providers: [OrderService, OrderReaderService, OrderDispatcher],
})
export class OrdersModule {}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { Product } from '../products/product.entity.js';
import { QueueModule } from '../queue/queue.module.js';
import { CancellationHints } from './cancellation-hints.js';
import { OptimisticSaleService } from './purchase/optimistic-sale.service.js';
import { OrderDispatcher } from './processing/order-dispatcher.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { OrderLifeService } from './order-cancellation.service.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrderService } from './purchase/order.service.js';
import { OrdersController } from './orders.controller.js';
import { PurchaseService } from './purchase/purchase.service.js';
import { ReservationService } from '../reservations/reservation.service.js';
import { ReservationsController } from '../reservations/reservations.controller.js';

@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderItem, Product]), CacheModule, QueueModule, IdempotencyModule],
  controllers: [OrdersController, ReservationsController],
  providers: [
    OrderService,
    OptimisticSaleService,
    PurchaseService,
    OrderReaderService,
    OrderLifeService,
    ReservationService,
    OrderDispatcher,
    CancellationHints,
  ],
})
export class OrdersModule {}

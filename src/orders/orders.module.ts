import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { READS } from '../database/data-source-options.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { ProductsModule } from '../products/products.module.js';
import { QueueModule } from '../queue/queue.module.js';
import { ReservationsModule } from '../reservations/reservations.module.js';
import { StockModule } from '../stock/stock.module.js';
import { OrderOperationsController } from './operations/order-operations.controller.js';
import { QueuesController } from './operations/queues.controller.js';
import { DeadLettersController } from './dead-letters/dead-letters.controller.js';
import { DeadLettersModule } from './dead-letters/dead-letters.module.js';
import { RedriveService } from './dead-letters/redrive.service.js';
import { CancellationHints } from './cancellation/cancellation-hints.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';
import { OrderCancellationService } from './cancellation/order-cancellation.service.js';
import { OrderReaderService } from './order-reader.service.js';
import { OrdersController } from './orders.controller.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from './processing/order-jobs.js';
import { OrderQueues } from './operations/order-queues.js';
import { OrderDispatcher } from './processing/order-dispatcher.js';
import { OptimisticSaleService } from './purchase/optimistic-sale.service.js';
import { OrderService } from './purchase/order.service.js';
import { PurchaseService } from './purchase/purchase.service.js';
import { PurchasesWaiting } from './metrics/purchases-waiting.js';
import { ReservationConfirmationService } from './purchase/reservation-confirmation.service.js';

/** Buying, reading and cancelling orders. They are worked on in `OrderProcessingModule`, which no API process reaches. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Order, OrderItem]),
    TypeOrmModule.forFeature([Order, OrderItem], READS),
    QueueModule.forFeature(ORDERS_QUEUE, DISPATCH_QUEUE),
    ProductsModule,
    ReservationsModule,
    StockModule,
    IdempotencyModule,
    DeadLettersModule,
  ],
  controllers: [OrdersController, OrderOperationsController, DeadLettersController, QueuesController],
  providers: [
    OrderService,
    OptimisticSaleService,
    PurchaseService,
    ReservationConfirmationService,
    OrderReaderService,
    OrderCancellationService,
    OrderDispatcher,
    CancellationHints,
    RedriveService,
    OrderQueues,
    PurchasesWaiting,
  ],
  exports: [PurchaseService, OrderReaderService, OrderCancellationService],
})
export class OrdersModule {}

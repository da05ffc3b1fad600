import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../../cache/cache.module.js';
import { IdempotencyModule } from '../../idempotency/idempotency.module.js';
import { Product } from '../../products/product.entity.js';
import { QueueModule } from '../../queue/queue.module.js';
import { CallsUnderWay } from './in-flight-calls.js';
import { CancellationHints } from '../cancellation-hints.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';
import { HandOverProcessor } from './dispatch.processor.js';
import { OrderDispatcher } from './order-dispatcher.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderItem } from '../order-item.entity.js';
import { OrderSweep } from './order-sweep.js';
import { Order } from '../order.entity.js';
import { OrderProcessor } from './order.processor.js';
import { ReservationService } from '../../reservations/reservation.service.js';
import { ReservationSweep } from '../../reservations/reservation-expiry.js';
import { SimulatedFulfilmentGateway } from './simulated-fulfilment-gateway.js';

/** Everything that works on orders in the background. Only the worker's root imports it: reaching it starts a worker. */
@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderItem, Product]), CacheModule, QueueModule, IdempotencyModule],
  providers: [
    OrderProcessor,
    HandOverProcessor,
    OrderSweep,
    OrderDispatcher,
    ReservationService,
    ReservationSweep,
    OrderFulfilmentService,
    CallsUnderWay,
    CancellationHints,
    { provide: FulfilmentGateway, useClass: SimulatedFulfilmentGateway },
  ],
})
export class OrderProcessingModule {}

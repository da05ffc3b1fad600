import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Product } from '../../products/product.entity.js';
import { QueueModule } from '../../queue/queue.module.js';
import { StockChangesModule } from '../../stock/stock-changes.module.js';
import { WorkerRegistryModule } from '../../workers/worker-registry.module.js';
import { CancellationHints } from '../cancellation/cancellation-hints.js';
import { OrderItem } from '../order-item.entity.js';
import { Order } from '../order.entity.js';
import { DispatchProcessor } from './dispatch.processor.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';
import { FulfilmentCallsService } from './fulfilment-calls.service.js';
import { FulfilmentUndo } from './fulfilment-undo.js';
import { InFlightCalls } from './in-flight-calls.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { LostJobs } from './lost-jobs.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from './order-jobs.js';
import { OrderSlots } from './slots/order-slots.js';
import { OrderSweep } from './order-sweep.js';
import { OrderProcessor } from './order.processor.js';
import { SimulatedFulfilmentGateway } from './simulated-fulfilment-gateway.js';

/** Everything that works on orders in the background. Only the worker's root imports it: reaching it starts a BullMQ worker. */
@Module({
  imports: [
    TypeOrmModule.forFeature([Order, OrderItem, Product]),
    QueueModule.forFeature(ORDERS_QUEUE, DISPATCH_QUEUE),
    StockChangesModule,
    WorkerRegistryModule,
  ],
  providers: [
    OrderProcessor,
    DispatchProcessor,
    OrderSlots,
    OrderSweep,
    LostJobs,
    OrderFulfilmentService,
    FulfilmentCallsService,
    FulfilmentUndo,
    InFlightCalls,
    CancellationHints,
  ],
})
export class OrderProcessingModule {
  /** @param gateway fulfils the orders; without one a simulated provider does. */
  static forRoot(gateway?: FulfilmentGateway): DynamicModule {
    const provider = gateway === undefined ? { useClass: SimulatedFulfilmentGateway } : { useValue: gateway };
    return { module: OrderProcessingModule, providers: [{ provide: FulfilmentGateway, ...provider }] };
  }
}

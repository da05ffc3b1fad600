import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { CacheModule } from '../cache/cache.module.js';
import { Product } from '../products/product.entity.js';
import { QueueModule } from '../queue/queue.module.js';
import { FulfilmentGateway } from './fulfilment-gateway.js';
import { HandOverProcessor } from './hand-over.processor.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderItem } from './order-item.entity.js';
import { OrderSweep } from './order-sweep.js';
import { Order } from './order.entity.js';
import { OrderProcessor } from './order.processor.js';
import { SimulatedFulfilmentGateway } from './simulated-fulfilment-gateway.js';

/** Everything that works on orders in the background. Only the worker's root imports it: reaching it starts a worker. */
@Module({
  imports: [TypeOrmModule.forFeature([Order, OrderItem, Product]), CacheModule, QueueModule],
  providers: [
    OrderProcessor,
    HandOverProcessor,
    OrderSweep,
    OrderFulfilmentService,
    { provide: FulfilmentGateway, useClass: SimulatedFulfilmentGateway },
  ],
})
export class OrderProcessingModule {}

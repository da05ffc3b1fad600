import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { DeadLettersService } from '../../orders/processing/dead-letters.service.js';
import { OrderItem } from '../../orders/order-item.entity.js';
import { Order } from '../../orders/order.entity.js';
import { Product } from '../../products/product.entity.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../../orders/processing/order-jobs.js';
import { QueueModule } from '../../queue/queue.module.js';

/** The composition root of `npm run dead-letters` and `npm run redrive`. */
@Module({
  imports: [
    DatabaseModule,
    QueueModule.forFeature(ORDERS_QUEUE, DISPATCH_QUEUE),
    TypeOrmModule.forFeature([Order, OrderItem, Product]),
  ],
  providers: [DeadLettersService],
})
export class DeadLettersRootModule {
  static forRoot(config: Config): DynamicModule {
    return { module: DeadLettersRootModule, imports: [ConfigModule.forRoot(config)] };
  }
}

import { Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Product } from '../../products/product.entity.js';
import { QueueModule } from '../../queue/queue.module.js';
import { BacklogMetrics } from './backlog-metrics.js';
import { DeadLetterMetrics } from './dead-letter-metrics.js';
import { DeadLettersModule } from '../dead-letters/dead-letters.module.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../processing/order-jobs.js';
import { OrderQueues } from '../operations/order-queues.js';
import { QueueMetrics } from './queue-metrics.js';

/** What waits to be worked on, in numbers. Every API and every worker tells it, so that it is seen also while one kind of them is away. */
@Module({
  imports: [
    DeadLettersModule,
    TypeOrmModule.forFeature([Product]),
    QueueModule.forFeature(ORDERS_QUEUE, DISPATCH_QUEUE),
  ],
  providers: [OrderQueues, BacklogMetrics, QueueMetrics, DeadLetterMetrics],
})
export class OrderMetricsModule {}

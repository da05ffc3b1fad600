import { BullModule, InjectQueue } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { ORDERS_QUEUE } from './order-jobs.js';
import { QueueConnection } from './queue-connection.js';

@Module({ providers: [QueueConnection], exports: [QueueConnection] })
class QueueConnectionModule {}

/** The queue of orders, for those who add to it, work on it or look at it. */
@Module({
  imports: [
    QueueConnectionModule,
    BullModule.registerQueueAsync({
      name: ORDERS_QUEUE,
      imports: [QueueConnectionModule],
      inject: [QueueConnection],
      useFactory: ({ client }: QueueConnection) => ({ connection: client }),
    }),
  ],
  exports: [BullModule, QueueConnectionModule],
})
export class QueueModule {
  /** Without a listener BullMQ prints each of the many errors while Redis is away; the connection logs the change. */
  constructor(@InjectQueue(ORDERS_QUEUE) queue: Queue) {
    queue.on('error', () => undefined);
  }
}

import { BullModule, InjectQueue } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { HAND_OVER_QUEUE, ORDERS_QUEUE } from './order-jobs.js';
import { QueueConnection } from './queue-connection.js';

@Module({ providers: [QueueConnection], exports: [QueueConnection] })
class QueueConnectionModule {}

/** The queues, for those who add to them, work on them or look at them. */
@Module({
  imports: [
    QueueConnectionModule,
    ...[ORDERS_QUEUE, HAND_OVER_QUEUE].map((name) =>
      BullModule.registerQueueAsync({
        name,
        imports: [QueueConnectionModule],
        inject: [QueueConnection],
        useFactory: ({ client }: QueueConnection) => ({ connection: client }),
      }),
    ),
  ],
  exports: [BullModule, QueueConnectionModule],
})
export class QueueModule {
  /** Without a listener BullMQ prints each of the many errors while Redis is away; the connection logs the change. */
  constructor(@InjectQueue(ORDERS_QUEUE) orders: Queue, @InjectQueue(HAND_OVER_QUEUE) handOvers: Queue) {
    for (const queue of [orders, handOvers]) queue.on('error', () => undefined);
  }
}

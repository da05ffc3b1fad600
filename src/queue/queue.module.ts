import { BullModule, InjectQueue } from '@nestjs/bullmq';
import { Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { AUDIT_QUEUE } from '../audit/audit-jobs.js';
import { HAND_OVER_QUEUE, ORDERS_QUEUE } from '../orders/processing/order-jobs.js';
import { QueueConnection } from './queue-connection.js';

/** All there are. */
export const QUEUES = [ORDERS_QUEUE, HAND_OVER_QUEUE, AUDIT_QUEUE];

@Module({ providers: [QueueConnection], exports: [QueueConnection] })
class QueueConnectionModule {}

/** The queues, for those who add to them, work on them or look at them. */
@Module({
  imports: [
    QueueConnectionModule,
    ...QUEUES.map((name) =>
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
  constructor(
    @InjectQueue(ORDERS_QUEUE) orders: Queue,
    @InjectQueue(HAND_OVER_QUEUE) handOvers: Queue,
    @InjectQueue(AUDIT_QUEUE) audits: Queue,
  ) {
    for (const queue of [orders, handOvers, audits]) queue.on('error', () => undefined);
  }
}

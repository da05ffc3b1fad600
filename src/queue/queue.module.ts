import { BullModule, getQueueToken } from '@nestjs/bullmq';
import { type DynamicModule, Module } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { QueueConnection } from './queue-connection.js';

/** The process's connection to the queue's Redis, and with `forFeature` the queues that a feature adds to or works on. */
@Module({ providers: [QueueConnection], exports: [QueueConnection] })
export class QueueModule {
  static forFeature(...names: readonly string[]): DynamicModule {
    const queues = names.map((name) =>
      BullModule.registerQueueAsync({
        name,
        imports: [QueueModule],
        inject: [QueueConnection],
        useFactory: ({ client }: QueueConnection) => ({ connection: client }),
      }),
    );
    return {
      module: FeatureQueuesModule,
      imports: [QueueModule, ...queues],
      providers: [{ provide: SILENCED, inject: names.map((name) => getQueueToken(name)), useFactory: silence }],
      exports: [QueueModule, BullModule],
    };
  }
}

@Module({})
class FeatureQueuesModule {}

const SILENCED = Symbol('queues whose errors are not printed');

/** Without a listener BullMQ prints each of the many errors while Redis is away. The connection logs that once. */
function silence(...queues: readonly Queue[]): readonly Queue[] {
  for (const queue of queues) queue.on('error', () => undefined);
  return queues;
}

import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { AUDIT_QUEUE } from '../../audit/audit-jobs.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../../orders/processing/order-jobs.js';
import { QueueModule } from '../../queue/queue.module.js';

/** Every queue that the dashboard shows. */
export const QUEUES = [ORDERS_QUEUE, DISPATCH_QUEUE, AUDIT_QUEUE];

/** The composition root of the dashboard: the queues and nothing else. */
@Module({ imports: [QueueModule.forFeature(...QUEUES)] })
export class DashboardModule {
  static forRoot(config: Config): DynamicModule {
    return { module: DashboardModule, imports: [ConfigModule.forRoot(config)] };
  }
}

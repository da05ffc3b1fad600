import { type DynamicModule, Module } from '@nestjs/common';
import { CallersModule } from '../../access/callers.module.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { AUDIT_QUEUE } from '../../audit/audit-jobs.js';
import { DatabaseModule } from '../../database/database.module.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../../orders/processing/order-jobs.js';
import { QueueModule } from '../../queue/queue.module.js';

/** Every queue that the dashboard shows. */
export const QUEUES = [ORDERS_QUEUE, DISPATCH_QUEUE, AUDIT_QUEUE];

/** The composition root of the dashboard: the queues, and, where there is a database, who may see and change them. */
@Module({ imports: [QueueModule.forFeature(...QUEUES)] })
export class DashboardModule {
  static forRoot(config: Config): DynamicModule {
    const callers = config.database.isThere ? [DatabaseModule, CallersModule] : [];
    return { module: DashboardModule, imports: [ConfigModule.forRoot(config), ...callers] };
  }
}

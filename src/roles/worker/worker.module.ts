import { type DynamicModule, Module } from '@nestjs/common';
import { AuditProcessingModule } from '../../audit/audit-processing.module.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { RowCountFolding } from '../../database/lists/row-count-folding.js';
import type { Subscriber } from '../../events/subscriber.js';
import { SubscriptionsModule } from '../../events/subscriptions.module.js';
import { ReadinessModule } from '../../health/readiness.module.js';
import { WorkerHeartbeat } from '../../health/worker-heartbeat.js';
import { IdempotencyKeyExpiry } from '../../idempotency/idempotency-key-expiry.js';
import type { FulfilmentGateway } from '../../orders/processing/fulfilment-gateway.js';
import { OrderMetricsModule } from '../../orders/metrics/order-metrics.module.js';
import { OrderProcessingModule } from '../../orders/processing/order-processing.module.js';
import { ProductCacheModule } from '../../products/product-cache.module.js';
import { ReservationExpiry } from '../../reservations/reservation-expiry.js';
import { ReservationRemoval } from '../../reservations/reservation-removal.js';
import { EvictionCheck } from '../../queue/eviction-check.js';
import { QueueModule } from '../../queue/queue.module.js';
import { StatisticsRecorderModule } from '../../statistics/statistics-recorder.module.js';
import { StockChangesModule } from '../../stock/stock-changes.module.js';
import type { ModuleImport } from '../plugins.js';

export interface WorkerOptions {
  readonly imports?: readonly ModuleImport[];
  /** Fulfils orders; without one a simulated provider does. */
  readonly fulfilment?: FulfilmentGateway;
  /** Told of order events. */
  readonly subscribers?: readonly Subscriber[];
}

/** The composition root of the worker, and the only one that reaches a processor. */
@Module({
  imports: [
    DatabaseModule,
    AuditProcessingModule,
    StockChangesModule,
    ProductCacheModule,
    QueueModule,
    ReadinessModule,
    OrderMetricsModule,
    StatisticsRecorderModule,
  ],
  providers: [
    WorkerHeartbeat,
    EvictionCheck,
    ReservationExpiry,
    ReservationRemoval,
    IdempotencyKeyExpiry,
    RowCountFolding,
  ],
})
export class WorkerModule {
  static forRoot(config: Config, { imports = [], fulfilment, subscribers = [] }: WorkerOptions = {}): DynamicModule {
    return {
      module: WorkerModule,
      imports: [
        ConfigModule.forRoot(config),
        OrderProcessingModule.forRoot(fulfilment),
        SubscriptionsModule.forRoot(subscribers),
        ...imports,
      ],
    };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import { AuditProcessingModule } from '../../audit/audit-processing.module.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { ReadinessModule } from '../../health/readiness.module.js';
import { WorkerHeartbeat } from '../../health/worker-heartbeat.js';
import { IdempotencyKeyExpiry } from '../../idempotency/idempotency-key-expiry.js';
import { OrderProcessingModule } from '../../orders/processing/order-processing.module.js';
import { ProductCacheModule } from '../../products/product-cache.module.js';
import { ReservationExpiry } from '../../reservations/reservation-expiry.js';
import { ReservationsModule } from '../../reservations/reservations.module.js';
import { RowCountFolding } from '../../database/row-count-folding.js';

/** The composition root of the worker, and the only one that reaches a processor. */
@Module({
  imports: [
    DatabaseModule,
    OrderProcessingModule,
    AuditProcessingModule,
    ReservationsModule,
    ProductCacheModule,
    ReadinessModule,
  ],
  providers: [WorkerHeartbeat, ReservationExpiry, IdempotencyKeyExpiry, RowCountFolding],
})
export class WorkerModule {
  static forRoot(config: Config): DynamicModule {
    return { module: WorkerModule, imports: [ConfigModule.forRoot(config)] };
  }
}

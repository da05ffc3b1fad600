import { type DynamicModule, Module } from '@nestjs/common';
import { APP_FILTER } from '@nestjs/core';
import { ProblemDetailsFilter } from '../../http/problems/problem-details.filter.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { translateDatabaseError } from '../../database/database-errors.js';
import { DatabaseModule } from '../../database/database.module.js';
import { EventsModule } from '../../events/events.module.js';
import { HealthModule } from '../../health/health.module.js';
import { OrdersModule } from '../../orders/orders.module.js';
import { OrderMetricsModule } from '../../orders/metrics/order-metrics.module.js';
import { ProductsModule } from '../../products/products.module.js';
import { AccessModule } from '../../access/access.module.js';
import { ActionsModule } from '../../actions/actions.module.js';
import { AuditRunsModule } from '../../audit/audit-runs.module.js';
import { ConsoleModule } from '../../console/console.module.js';
import { ReservationsModule } from '../../reservations/reservations.module.js';
import { StatisticsModule } from '../../statistics/statistics.module.js';
import { StockModule } from '../../stock/stock.module.js';
import { RowCountFallback } from '../../database/lists/row-count-folding.js';
import { WorkersModule } from '../../workers/workers.module.js';
import type { ModuleImport } from '../plugins.js';
import { RootController } from './root.controller.js';

/** The composition root of the API. It reaches no processor: an API process never works on jobs. */
@Module({
  imports: [
    DatabaseModule,
    ProductsModule,
    StockModule,
    ReservationsModule,
    OrdersModule,
    EventsModule,
    AuditRunsModule,
    WorkersModule,
    ActionsModule,
    AccessModule,
    ConsoleModule,
    StatisticsModule,
    OrderMetricsModule,
    HealthModule,
  ],
  controllers: [RootController],
  providers: [RowCountFallback, { provide: APP_FILTER, useValue: new ProblemDetailsFilter(translateDatabaseError) }],
})
export class ApiModule {
  static forRoot(config: Config, imports: readonly ModuleImport[] = []): DynamicModule {
    return { module: ApiModule, imports: [ConfigModule.forRoot(config), ...imports] };
  }
}

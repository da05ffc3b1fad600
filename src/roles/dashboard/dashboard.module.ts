import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { QueueModule } from '../../queue/queue.module.js';

/** The composition root of the dashboard: the queue and nothing else. */
@Module({ imports: [QueueModule] })
export class DashboardModule {
  static forRoot(config: Config): DynamicModule {
    return { module: DashboardModule, imports: [ConfigModule.forRoot(config)] };
  }
}

import { type DynamicModule, Module } from '@nestjs/common';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { ParkedEventsService } from '../../events/parked-events.service.js';

/** The composition root of `npm run parked-events` and `npm run retry-events`. */
@Module({ imports: [DatabaseModule], providers: [ParkedEventsService] })
export class ParkedEventsRootModule {
  static forRoot(config: Config): DynamicModule {
    return { module: ParkedEventsRootModule, imports: [ConfigModule.forRoot(config)] };
  }
}

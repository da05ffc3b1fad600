import { type DynamicModule, Module } from '@nestjs/common';
import { ApiKeysService } from '../../access/api-keys.service.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { IdempotencyModule } from '../../idempotency/idempotency.module.js';

/** The composition root of `npm run keys`. */
@Module({ imports: [DatabaseModule, IdempotencyModule], providers: [ApiKeysService] })
export class KeysRootModule {
  static forRoot(config: Config): DynamicModule {
    return { module: KeysRootModule, imports: [ConfigModule.forRoot(config)] };
  }
}

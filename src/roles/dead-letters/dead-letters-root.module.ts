import { type DynamicModule, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';
import { DeadLettersModule } from '../../orders/dead-letters/dead-letters.module.js';
import { Product } from '../../products/product.entity.js';

/** The composition root of `npm run dead-letters` and `npm run redrive`. */
@Module({
  imports: [DatabaseModule, DeadLettersModule, TypeOrmModule.forFeature([Product])],
})
export class DeadLettersRootModule {
  static forRoot(config: Config): DynamicModule {
    return { module: DeadLettersRootModule, imports: [ConfigModule.forRoot(config)] };
  }
}

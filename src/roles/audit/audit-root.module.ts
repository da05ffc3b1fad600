import { type DynamicModule, Module } from '@nestjs/common';
import { AuditModule } from '../../audit/audit.module.js';
import { LedgerRepairService } from '../../audit/ledger-repair.service.js';
import type { Config } from '../../config/config.js';
import { ConfigModule } from '../../config/config.module.js';
import { DatabaseModule } from '../../database/database.module.js';

/** The composition root of `npm run audit`, with `--repair` as well: the database and nothing else. */
@Module({ imports: [DatabaseModule, AuditModule], providers: [LedgerRepairService] })
export class AuditRootModule {
  static forRoot(config: Config): DynamicModule {
    return { module: AuditRootModule, imports: [ConfigModule.forRoot(config)] };
  }
}

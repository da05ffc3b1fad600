import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Config } from '../config/config.js';
import { dataSourceOptions, readOptions, READS } from './data-source-options.js';
import { DurabilityCheck } from './durability-check.js';
import { ListReads } from './lists/list-reads.js';
import { RowCounts } from './lists/row-counts.js';
import { PoolMetrics } from './pool-metrics.js';
import { PrivilegeCheck } from './roles/privilege-check.js';
import { TransactionRunner } from './transactions/transaction-runner.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: ({ database }: Config) => ({ ...dataSourceOptions(database), autoLoadEntities: true }),
    }),
    TypeOrmModule.forRootAsync({
      name: READS,
      inject: [Config],
      useFactory: ({ database }: Config) => ({ ...readOptions(database), name: READS, autoLoadEntities: true }),
    }),
  ],
  providers: [TransactionRunner, RowCounts, ListReads, DurabilityCheck, PrivilegeCheck, PoolMetrics],
  exports: [TransactionRunner, RowCounts, ListReads],
})
export class DatabaseModule {}

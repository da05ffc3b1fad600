import { Global, Module } from '@nestjs/common';
import { TypeOrmModule } from '@nestjs/typeorm';
import { Config } from '../config/config.js';
import { dataSourceOptions } from './data-source-options.js';
import { DurabilityCheck } from './durability-check.js';
import { ListReads } from './lists/list-reads.js';
import { RowCounts } from './lists/row-counts.js';
import { TransactionRunner } from './transaction-runner.js';

@Global()
@Module({
  imports: [
    TypeOrmModule.forRootAsync({
      inject: [Config],
      useFactory: ({ database }: Config) => ({ ...dataSourceOptions(database), autoLoadEntities: true }),
    }),
  ],
  providers: [TransactionRunner, RowCounts, ListReads, DurabilityCheck],
  exports: [TransactionRunner, RowCounts, ListReads],
})
export class DatabaseModule {}

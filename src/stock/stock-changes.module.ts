import { Module } from '@nestjs/common';
import { StockChanges } from './stock-changes.js';

/** What tells of changed stock, without what is asked and changed by clients: the worker loads no code of HTTP for it. */
@Module({ providers: [StockChanges], exports: [StockChanges] })
export class StockChangesModule {}

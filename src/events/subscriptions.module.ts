import { type DynamicModule, Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import type { Subscriber } from './subscriber.js';
import { Subscription } from './subscription.js';

/** Tells subscribers of order events. Only the worker's root imports it. */
@Module({})
export class SubscriptionsModule {
  static forRoot(subscribers: readonly Subscriber[]): DynamicModule {
    const providers = subscribers.map((subscriber) => ({
      provide: `subscription ${subscriber.name}`,
      inject: [DataSource, TransactionRunner],
      useFactory: (dataSource: DataSource, transactions: TransactionRunner) =>
        new Subscription(subscriber, dataSource, transactions),
    }));
    return { module: SubscriptionsModule, providers };
  }
}

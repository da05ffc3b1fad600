import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { readPrepared } from '../database/prepared-statement.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { RETRY_PARKED, SELECT_PARKED } from './subscription-writer.js';

/** An event that a subscriber could not deal with, and that is no longer tried by itself. */
export interface ParkedEvent {
  readonly subscription: string;
  readonly eventId: number;
  readonly orderId: number;
  readonly attempts: number;
  readonly parkedAt: Date;
  /** What the subscriber threw last. */
  readonly error: string;
}

/** Parked events, for an operator to see and to have tried again. */
@Injectable()
export class ParkedEventsService {
  constructor(
    private readonly dataSource: DataSource,
    private readonly transactions: TransactionRunner,
  ) {}

  /** The oldest first, 10 000 at most. */
  async list(): Promise<ParkedEvent[]> {
    return readPrepared<ParkedEvent>(this.dataSource, SELECT_PARKED);
  }

  /** Has all of them tried again, and returns how many they were. */
  async retry(): Promise<number> {
    return (await this.transactions.writeIdempotent(RETRY_PARKED)).length;
  }
}

import { Injectable } from '@nestjs/common';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { forgetKeys } from './idempotency-key-writer.js';

const BATCH_SIZE = 1_000;

/** Forgets keys that are older than `IDEMPOTENCY_TTL`, and refusals that are older than five minutes, few at a time. */
@Injectable()
export class IdempotencyKeyExpiry extends PeriodicTask {
  protected readonly intervalMs = 60_000;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {
    super();
  }

  async run(): Promise<number> {
    const keys = await this.forget('all', this.config.idempotencyTtlSeconds);
    return keys + (await this.forget('refusals', LIMITS.refusalSeconds));
  }

  protected override report(count: number): void {
    this.logger.info('Idempotency keys were old and are forgotten', { count });
  }

  private async forget(which: 'all' | 'refusals', seconds: number): Promise<number> {
    return this.inBatches(BATCH_SIZE, async () => {
      const forgotten = await this.transactions.writeIdempotent(forgetKeys(which, { seconds, limit: BATCH_SIZE }));
      return forgotten.length;
    });
  }
}

import { Injectable } from '@nestjs/common';
import { Sweep } from '../runtime/periodic-task.js';
import { Config } from '../config/config.js';
import { TransactionRunner } from '../database/transaction-runner.js';

const BATCH_SIZE = 1_000;

/** Forgets keys that are older than `IDEMPOTENCY_TTL`, few at a time. */
@Injectable()
export class IdempotencySweep extends Sweep {
  protected readonly intervalMs = 60_000;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {
    super();
  }

  async run(): Promise<number> {
    return this.inBatches(BATCH_SIZE, async () => {
      const forgotten = await this.transactions.writeRepeatable({
        text: `DELETE FROM idempotency_keys WHERE key = ANY (ARRAY(
                 SELECT key FROM idempotency_keys
                 WHERE created_at < clock_timestamp() - $1 * interval '1 second'
                 ORDER BY created_at LIMIT ${BATCH_SIZE} FOR UPDATE SKIP LOCKED
               )) RETURNING key`,
        values: [this.config.idempotencyTtlSeconds],
      });
      return forgotten.length;
    });
  }

  protected override report(count: number): void {
    this.logger.log(`${count} idempotency keys were old and are forgotten`);
  }
}

import { type BeforeApplicationShutdown, Injectable, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import { Config } from '../config/config.js';
import { TransactionRunner } from '../database/transaction-runner.js';

const INTERVAL_MS = 60_000;
const BATCH_SIZE = 1_000;

/** Forgets keys that are older than `IDEMPOTENCY_TTL`, few at a time. */
@Injectable()
export class IdempotencySweep implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(IdempotencySweep.name);
  private timer: NodeJS.Timeout | undefined;
  private stopped = false;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {}

  onApplicationBootstrap(): void {
    this.timer = setInterval(() => {
      this.run().catch((error: unknown) => this.logger.warn(`Old keys were not forgotten: ${String(error)}`));
    }, INTERVAL_MS);
  }

  beforeApplicationShutdown(): void {
    this.stopped = true;
    clearInterval(this.timer);
  }

  /** Forgets all keys that are old enough, and returns how many they were. */
  async run(): Promise<number> {
    let forgotten = 0;
    for (;;) {
      const keys = await this.transactions.writeRepeatable({
        text: `DELETE FROM idempotency_keys WHERE key = ANY (ARRAY(
                 SELECT key FROM idempotency_keys
                 WHERE created_at < clock_timestamp() - $1 * interval '1 second'
                 ORDER BY created_at LIMIT ${BATCH_SIZE} FOR UPDATE SKIP LOCKED
               )) RETURNING key`,
        values: [this.config.idempotencyTtlSeconds],
      });
      forgotten += keys.length;
      if (keys.length < BATCH_SIZE || this.stopped) return forgotten;
    }
  }
}

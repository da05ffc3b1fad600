import { Injectable } from '@nestjs/common';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { noteUse } from './api-key-rows.js';
import { KeyRing } from './key-ring.js';

/** Tells PostgreSQL once a minute when keys were used last, all together. What a process that is killed has not told is lost. */
@Injectable()
export class KeyUseWriter extends PeriodicTask {
  protected readonly intervalMs = 60_000;

  constructor(
    private readonly ring: KeyRing,
    private readonly transactions: TransactionRunner,
  ) {
    super();
  }

  async run(): Promise<number> {
    const uses = this.ring.takeUses();
    if (uses.size === 0) return 0;
    await this.transactions.writeIdempotent(noteUse(uses)).catch((error: unknown) => {
      this.ring.giveBackUses(uses);
      throw error;
    });
    return 0;
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    await this.runOnce();
  }
}

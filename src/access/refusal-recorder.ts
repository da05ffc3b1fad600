import { Injectable } from '@nestjs/common';
import { recordAction } from '../actions/action.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import type { Refusal } from '../kernel/access/caller.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { withRequest } from '../runtime/request-context.js';

/** Of one minute and one process; more are counted together, so that strangers cannot fill the table. */
const MAX_SAMPLES = 10;

interface Sample {
  readonly example: Refusal;
  count: number;
}

/** Records once a minute who was refused at the door, and how often: in samples, for refusals cost whoever sends them nothing. */
@Injectable()
export class RefusalRecorder extends PeriodicTask {
  protected readonly intervalMs = 60_000;
  private samples = new Map<string, Sample>();
  private others = 0;

  constructor(private readonly transactions: TransactionRunner) {
    super();
  }

  note(refusal: Refusal): void {
    const key = `${refusal.code} ${refusal.actor ?? refusal.network}`;
    const sample = this.samples.get(key);
    if (sample !== undefined) sample.count++;
    else if (this.samples.size < MAX_SAMPLES) this.samples.set(key, { example: refusal, count: 1 });
    else this.others++;
  }

  async run(): Promise<number> {
    const samples = [...this.samples.values()];
    const { others } = this;
    this.samples = new Map();
    this.others = 0;
    for (const { example, count } of samples) {
      const { actor, requestId, ...what } = example;
      await withRequest({ actor: actor ?? undefined, requestId }, () =>
        this.transactions.run((manager) => recordAction(manager, 'access.refused', { ...what, count })),
      );
    }
    if (others > 0) {
      await this.transactions.run((manager) =>
        recordAction(manager, 'access.refused', { others: true, count: others }),
      );
    }
    return 0;
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    await this.runOnce();
  }
}

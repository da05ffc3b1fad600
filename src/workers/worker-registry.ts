import { randomUUID } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { VERSION } from '../kernel/version.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { removeWorker, selectLeader, touchWorker } from './worker-rows.js';

/**
 * Tells PostgreSQL that this worker is alive. A worker that is frozen or dead is silent: everybody sees it (`GET /ops/workers`), and
 * after `LIMITS.workerSilenceMs` another one leads.
 */
@Injectable()
export class WorkerRegistry extends PeriodicTask {
  protected readonly intervalMs = LIMITS.heartbeatMs;
  private readonly id = randomUUID();
  private countInFlight = () => 0;

  constructor(
    private readonly transactions: TransactionRunner,
    private readonly config: Config,
  ) {
    super();
  }

  /** How many orders this worker works on, whenever it tells of itself. */
  reportInFlight(count: () => number): void {
    this.countInFlight = count;
  }

  /** Whether this worker is to do what one worker does for all. In the moment of a change it may be two of them, or none. */
  async leads(): Promise<boolean> {
    const [leader] = await this.transactions.writeIdempotent<{ id: string }>(selectLeader());
    return leader?.id === this.id;
  }

  override async onApplicationBootstrap(): Promise<void> {
    await this.runOnce();
    await super.onApplicationBootstrap();
  }

  async run(): Promise<number> {
    const { concurrency } = this.config.worker;
    await this.transactions.writeIdempotent(
      touchWorker({ id: this.id, version: VERSION, concurrency, inFlight: this.countInFlight() }),
    );
    return 0;
  }

  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    await this.transactions
      .writeIdempotent(removeWorker(this.id))
      .catch((error: unknown) => this.logger.debug('The worker stays registered', { error }));
  }
}

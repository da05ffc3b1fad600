import { Injectable } from '@nestjs/common';
import { TransactionRunner } from '../database/transactions/transaction-runner.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { addToMinute, type Observed } from './minute-statistics.js';
import {
  type Counts,
  difference,
  isNothing,
  readBacklog,
  readCounts,
  readPoolUsage,
  readQueueAvailable,
  readWorkersAlive,
} from './process-counts.js';

const INTERVAL_MS = 2_000;
/** The backlog is read by queries: while nothing is counted, only so often. */
const BACKLOG_INTERVAL_MS = 10_000;

/**
 * Adds what this process has counted to the running minute. A write that fails loses nothing: the next one adds what was counted since the last that
 * succeeded; where only its answer was lost, two seconds count twice. What a process has counted in its last seconds is lost when it dies.
 */
@Injectable()
export class StatisticsRecorder extends PeriodicTask {
  protected readonly intervalMs = INTERVAL_MS;
  private recorded: Counts | undefined;
  private backlogReadAt = -Infinity;

  constructor(private readonly transactions: TransactionRunner) {
    super();
  }

  /** Metrics are those of the process, which may have run another application before. */
  override async onApplicationBootstrap(): Promise<void> {
    this.recorded = await readCounts();
    await super.onApplicationBootstrap();
  }

  async run(): Promise<number> {
    const counts = await readCounts();
    const added = difference(counts, this.recorded ?? counts);
    if (isNothing(added) && performance.now() - this.backlogReadAt < BACKLOG_INTERVAL_MS) return 0;
    await this.transactions.writeIdempotent(addToMinute(added, await observe()));
    this.recorded = counts;
    this.backlogReadAt = performance.now();
    return 0;
  }

  /** Records what was counted since the last time, while PostgreSQL is still there. */
  override async beforeApplicationShutdown(): Promise<void> {
    await super.beforeApplicationShutdown();
    await this.runOnce();
  }
}

async function observe(): Promise<Observed> {
  const [backlog, poolUsage, workersAlive, queueAvailable] = await Promise.all([
    readBacklog(),
    readPoolUsage(),
    readWorkersAlive(),
    readQueueAvailable(),
  ]);
  return { backlog, poolUsage, workersAlive, queueAvailable };
}

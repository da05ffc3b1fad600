import { Injectable } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { PeriodicTask } from '../../runtime/periodic-task.js';
import { readPrepared } from '../prepared-statement.js';
import { FAN_OUT } from './row-counts.js';
import { TransactionRunner } from '../transactions/transaction-runner.js';

/** Changes folded at once: as many as surely fit into the time of a transaction. */
const MAX_FOLDED = 20_000;
/**
 * The class and the number of an advisory lock: no two processes fold at the same time. Locks of two numbers are apart from those of
 * one, which belong to idempotency keys: a client may choose a key whose hash is any number.
 */
const FOLD_LOCK = [1, 1];
/** More changes than workers leave unfolded. */
const BACKLOG = 50_000;

const TAKE_LOCK = 'SELECT pg_try_advisory_xact_lock($1::integer, $2::integer) AS taken';
const FOLD = `
  WITH folded AS (
    DELETE FROM row_count_changes
    WHERE ctid = ANY (ARRAY(SELECT ctid FROM row_count_changes LIMIT ${MAX_FOLDED}))
    RETURNING list, block, change
  ), counted AS (
    INSERT INTO row_counts AS counted (list, level, block, rows)
    SELECT list, 0, block, sum(change) FROM folded GROUP BY list, block
    UNION ALL SELECT list, 1, block / ${FAN_OUT}, sum(change) FROM folded GROUP BY list, block / ${FAN_OUT}
    ON CONFLICT (list, level, block) DO UPDATE SET rows = counted.rows + excluded.rows
  )
  SELECT count(*)::integer AS changes FROM folded`;

/** Folds the changes of counts into the counts, so that readers have few changes to add up. Every worker does, once a second. */
@Injectable()
export class RowCountFolding extends PeriodicTask {
  protected readonly intervalMs: number = 1_000;

  constructor(private readonly transactions: TransactionRunner) {
    super();
  }

  /** Folds all changes, and returns how many they were. Readers see a change and its count both before or both after. */
  async run(): Promise<number> {
    return this.inBatches(MAX_FOLDED, () => this.fold());
  }

  private async fold(): Promise<number> {
    return this.transactions.run(async (manager) => {
      const [lock] = await manager.query<[{ taken: boolean }]>(TAKE_LOCK, FOLD_LOCK);
      if (!lock.taken) return 0;
      const [folded] = await manager.query<[{ changes: number }]>(FOLD);
      return folded.changes;
    });
  }
}

/** Folds in an API process when no worker does: lists keep their speed, also while no worker runs. */
@Injectable()
export class RowCountFallback extends RowCountFolding {
  protected override readonly intervalMs: number = 5_000;

  constructor(
    transactions: TransactionRunner,
    private readonly dataSource: DataSource,
  ) {
    super(transactions);
  }

  override async run(): Promise<number> {
    const [backlog] = await readPrepared<{ changes: number }>(this.dataSource, {
      name: 'count-row-count-changes',
      text: `SELECT count(*)::integer AS changes FROM (SELECT FROM row_count_changes LIMIT ${BACKLOG}) AS changes`,
    });
    return backlog?.changes === BACKLOG ? super.run() : 0;
  }

  protected override report(count: number): void {
    this.logger.warn('Changes of counts had waited for a worker; is none running?', { count });
  }
}

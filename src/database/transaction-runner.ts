import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { withDeadline } from '../common/deadline.js';
import {
  CommitOutcomeUnknownError,
  DatabaseUnavailableError,
  isConnectionError,
  isRefusal,
  isRetryable,
} from './database-errors.js';

const MAX_RETRIES = 3;
/** No retry begins later than this after the first attempt: PostgreSQL takes a second to see a deadlock. */
const RETRY_TIMEOUT_MS = 1_500;
const MAX_JITTER_MS = 50;
/** How long after a broken commit PostgreSQL is asked what became of it. */
const RESOLVE_TIMEOUT_MS = 1_500;
const RESOLVE_INTERVAL_MS = 100;

/** Thrown by work that wants to be run again from the start: what it read has changed under it. */
export class RetryTransactionError extends Error {}

/** Runs work in a transaction: the one place that begins, commits, rolls back and retries. */
@Injectable()
export class TransactionRunner {
  private readonly logger = new Logger(TransactionRunner.name);

  constructor(private readonly dataSource: DataSource) {}

  /**
   * Commits what `work` did through the given manager, or nothing of it. A deadlock, a serialization failure or a
   * `RetryTransactionError` runs `work` again in a new transaction, at most three times, after a short random wait.
   *
   * @throws CommitOutcomeUnknownError when it cannot be told whether the commit took place.
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const deadline = performance.now() + RETRY_TIMEOUT_MS;
    for (let retry = 0; ; retry++) {
      try {
        return await this.attempt(work);
      } catch (error) {
        const again = isRetryable(error) || error instanceof RetryTransactionError;
        if (!again) throw error;
        if (retry === MAX_RETRIES || performance.now() > deadline) throw new DatabaseUnavailableError(error);
        await delay(Math.random() * MAX_JITTER_MS * (retry + 1));
      }
    }
  }

  private async attempt<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    const runner = this.dataSource.createQueryRunner();
    try {
      await runner.startTransaction();
      const result = await work(runner.manager);
      await this.commit(runner);
      return result;
    } catch (error) {
      await this.rollBack(runner, error);
      throw error;
    } finally {
      await runner.release();
    }
  }

  private async commit(runner: QueryRunner): Promise<void> {
    const [row] = await runner.manager.query<[{ xid: string | null }]>(
      'SELECT pg_current_xact_id_if_assigned()::text AS xid',
    );
    try {
      await runner.commitTransaction();
    } catch (error) {
      if (isRefusal(error)) throw error;
      if (row.xid === null) return; // It has written nothing, so nothing of it can be lost.
      this.logger.warn(`The connection broke in a commit; asking PostgreSQL about transaction ${row.xid}`);
      if (!(await this.wasCommitted(row.xid, error))) throw new DatabaseUnavailableError(error);
    }
  }

  /** https://www.postgresql.org/docs/current/functions-info.html, `pg_xact_status`. */
  private async wasCommitted(xid: string, cause: unknown): Promise<boolean> {
    const deadline = Date.now() + RESOLVE_TIMEOUT_MS;
    while (Date.now() < deadline) {
      const status = await withDeadline(this.statusOf(xid), deadline - Date.now()).catch(() => null);
      if (status === 'committed' || status === 'aborted') return status === 'committed';
      await delay(RESOLVE_INTERVAL_MS);
    }
    throw new CommitOutcomeUnknownError(cause);
  }

  private async statusOf(xid: string): Promise<string | null> {
    const [row] = await this.dataSource.query<[{ status: string | null }]>(
      'SELECT pg_xact_status($1::text::xid8) AS status',
      [xid],
    );
    return row.status;
  }

  /** A broken connection has nothing to roll back: PostgreSQL does it when it notices. */
  private async rollBack(runner: QueryRunner, error: unknown): Promise<void> {
    if (!runner.isTransactionActive || isConnectionError(error)) return;
    await runner
      .rollbackTransaction()
      .catch((failure: unknown) => this.logger.warn(`A rollback failed: ${String(failure)}`));
  }
}

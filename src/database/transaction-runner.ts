import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { ClientBase, QueryConfig, QueryResultRow } from 'pg';
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
/** Asked for at the beginning, in case the end is never heard of. */
const TRANSACTION_ID: QueryConfig = { name: 'transaction-id', text: 'SELECT pg_current_xact_id()::text AS xid' };

/** Thrown by work that wants to be run again from the start: what it read has changed under it. */
export class RetryTransactionError extends Error {}

/** What a transaction writes, and what its caller gets of the rows that the last statement returns. */
export interface Writes<Row, Result> {
  /** None at all rolls the transaction back, which needs no flush to disk. */
  readonly statements: readonly QueryConfig[];
  readonly toResult: (rows: readonly Row[]) => Result;
}

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
    return this.retry(async (runner) => {
      try {
        await runner.startTransaction();
        const result = await work(runner.manager);
        await this.commit(runner);
        return result;
      } catch (error) {
        await this.rollBack(runner, error);
        throw error;
      }
    });
  }

  /**
   * The same in two round trips: the lock travels with `BEGIN`, the writes with `COMMIT`. Between the two stands `decide`,
   * which cannot be asynchronous: nothing is waited for while rows are locked.
   *
   * @throws CommitOutcomeUnknownError when it cannot be told whether the commit took place, or what it has written.
   */
  async lockThenWrite<Locked extends QueryResultRow, Written extends QueryResultRow, T>(
    lock: QueryConfig,
    decide: (locked: readonly Locked[]) => Writes<Written, T>,
  ): Promise<T> {
    return this.retry(async (runner) => {
      const client: ClientBase = await runner.connect();
      const xid = begin(client);
      try {
        const writes = decide((await client.query<Locked>(lock)).rows);
        if (writes.statements.length > 0) return await this.writeAndCommit(client, xid, writes);
        await client.query('ROLLBACK');
        return writes.toResult([]);
      } catch (error) {
        await client.query('ROLLBACK').catch(() => undefined); // Without effect after a commit or a lost connection.
        throw error;
      }
    });
  }

  /**
   * Writes that need nothing read before them, in one round trip.
   *
   * @throws CommitOutcomeUnknownError as `lockThenWrite`.
   */
  async write<Written extends QueryResultRow, T>(writes: Writes<Written, T>): Promise<T> {
    return this.retry(async (runner) => {
      const client: ClientBase = await runner.connect();
      return this.writeAndCommit(client, begin(client), writes);
    });
  }

  private async retry<T>(attempt: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const deadline = performance.now() + RETRY_TIMEOUT_MS;
    for (let retry = 0; ; retry++) {
      const runner = this.dataSource.createQueryRunner();
      try {
        return await attempt(runner);
      } catch (error) {
        const again = isRetryable(error) || error instanceof RetryTransactionError;
        if (!again) throw error;
        if (retry === MAX_RETRIES || performance.now() > deadline) throw new DatabaseUnavailableError(error);
      } finally {
        await runner.release();
      }
      await delay(Math.random() * MAX_JITTER_MS * (retry + 1));
    }
  }

  /** A statement that PostgreSQL refuses makes of the `COMMIT` behind it a `ROLLBACK`. */
  private async writeAndCommit<Written extends QueryResultRow, T>(
    client: ClientBase,
    xid: Promise<string | undefined>,
    { statements, toResult }: Writes<Written, T>,
  ): Promise<T> {
    const sent = [...statements, { text: 'COMMIT' }].map((statement) => client.query<Written>(statement));
    const [commit, last, ...others] = (await Promise.allSettled(sent)).reverse();
    const failure = [last, ...others].find((outcome) => outcome?.status === 'rejected');
    if (failure !== undefined && (commit?.status === 'fulfilled' || isRefusal(failure.reason))) throw failure.reason;
    if (commit?.status === 'rejected') {
      if (isRefusal(commit.reason)) throw commit.reason;
      await this.resolve(await xid, commit.reason);
    }
    if (last?.status !== 'fulfilled') throw new CommitOutcomeUnknownError(failure?.reason);
    return toResult(last.value.rows);
  }

  private async commit(runner: QueryRunner): Promise<void> {
    const [row] = await runner.manager.query<[{ xid: string | null }]>(
      'SELECT pg_current_xact_id_if_assigned()::text AS xid',
    );
    try {
      await runner.commitTransaction();
    } catch (error) {
      if (isRefusal(error)) throw error;
      // Without an id it has written nothing, so nothing of it can be lost.
      if (row.xid !== null) await this.resolve(row.xid, error);
    }
  }

  /** Returns when a transaction whose commit was not heard of is on disk, and throws when it is not or nobody can tell. */
  private async resolve(xid: string | undefined, cause: unknown): Promise<void> {
    if (xid === undefined) throw new CommitOutcomeUnknownError(cause);
    this.logger.warn(`The connection broke in a commit; asking PostgreSQL about transaction ${xid}`);
    if (!(await this.wasCommitted(xid, cause))) throw new DatabaseUnavailableError(cause);
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

/** Sends the beginning of a transaction without waiting for it; `undefined` when its id does not arrive. */
async function begin(client: ClientBase): Promise<string | undefined> {
  client.query('BEGIN').catch(() => undefined); // What follows it fails for the same reason.
  return client.query<{ xid: string }>(TRANSACTION_ID).then(
    ({ rows }) => rows[0]?.xid,
    () => undefined,
  );
}

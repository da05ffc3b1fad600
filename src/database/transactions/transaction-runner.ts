import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { Log } from '../../runtime/log.js';
import type { Client, QueryConfig, QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import { CommitOutcomeUnknownError, DatabaseUnavailableError, isRefusal, isRetryable } from '../database-errors.js';
import {
  acknowledged,
  ASK_ID,
  CONFIRM_READ,
  NotAcknowledgedError,
  type TransactionId,
  wasCommitted,
} from './commit.js';
import { runInBudget } from './connection-budget.js';
import { Turns } from './turns.js';
import { PipelinedTransaction, rollBack } from './pipelined-transaction.js';
import { inTime, queryPrepared, release } from '../prepared-statement.js';

const MAX_RETRIES = 3;
const MAX_JITTER_MS = 50;

/** Runs work in a transaction: the one place that begins, commits, rolls back and retries. */
@Injectable()
export class TransactionRunner {
  private readonly logger = new Log(TransactionRunner.name);

  /**
   * Half of the connections, for all that is no sale: many requests for one row wait for it, each in a transaction of its own, and would
   * leave sales none.
   */
  private readonly turns: Turns;

  constructor(
    private readonly dataSource: DataSource,
    { database }: Config,
  ) {
    this.turns = new Turns(Math.max(Math.floor(database.poolSize / 2), 1));
  }

  /** For what needs no transaction. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /**
   * Commits what `work` did through the given manager, or nothing of it. A deadlock or a serialization failure runs
   * `work` again in a new transaction, at most three times, after a short random wait. Do not call it within `work`: it might wait for
   * the turn that the outer one has.
   *
   * @throws CommitOutcomeUnknownError when it cannot be told whether the commit took place.
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.retry(async (runner) => this.turns.take(async () => this.transact(runner, work)));
  }

  /**
   * The same for `work` that sends its statements itself and ends the transaction, by `commit` or by `rollBack`. It should wait for
   * nothing but PostgreSQL while rows are locked.
   */
  async runPipelined<T>(work: (transaction: PipelinedTransaction) => Promise<T>): Promise<T> {
    return this.retry(async (runner) => {
      let transaction: PipelinedTransaction | undefined;
      return runInBudget(
        runner,
        () => transaction?.isCommitting ?? false,
        async (client) => {
          transaction = new PipelinedTransaction(client, (id) => this.commit(client, id));
          try {
            const result = await work(transaction);
            if (!transaction.hasEnded) throw new Error('A pipelined transaction was left open');
            return result;
          } catch (error) {
            await rollBack(client, error);
            throw error;
          }
        },
      );
    });
  }

  /**
   * Runs one statement as its own transaction, in one round trip. When the answer is lost, the runner does not look up the outcome:
   * the statement may have run, and the caller must tolerate that it runs again.
   */
  async writeIdempotent<Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]> {
    return this.retry((runner) => queryPrepared<Row>(runner, statement));
  }

  /**
   * Returns when everything that has been read so far is as durable as what is committed: on a synchronous standby, if there is one.
   *
   * @throws CommitOutcomeUnknownError when that cannot be told.
   */
  async confirmRead(): Promise<void> {
    await this.run((manager) => manager.query(CONFIRM_READ));
  }

  private async transact<T>(runner: QueryRunner, work: (manager: EntityManager) => Promise<T>): Promise<T> {
    let isCommitting = false;
    return runInBudget(
      runner,
      () => isCommitting,
      async (client) => {
        try {
          await runner.startTransaction();
          const result = await work(runner.manager);
          const [id] = await runner.manager.query<[TransactionId]>(ASK_ID);
          isCommitting = true;
          await this.commit(client, id);
          return result;
        } catch (error) {
          await rollBack(client, error);
          throw error;
        }
      },
    );
  }

  private async retry<T>(work: (runner: QueryRunner) => Promise<T>): Promise<T> {
    const deadline = performance.now() + LIMITS.transactionRetryMs;
    for (let retry = 0; ; retry++) {
      const runner = this.dataSource.createQueryRunner();
      try {
        return await work(runner);
      } catch (error) {
        if (!isRetryable(error)) throw error;
        if (retry === MAX_RETRIES || performance.now() > deadline) throw new DatabaseUnavailableError(error);
      } finally {
        await release(runner);
      }
      await delay(Math.random() * MAX_JITTER_MS * (retry + 1));
    }
  }

  /**
   * Commits. If the connection breaks during `COMMIT`, asks PostgreSQL whether the commit took place. Without a transaction id nothing
   * was written, so there is nothing to ask.
   */
  private async commit(client: Client, id: TransactionId): Promise<void> {
    try {
      // The other half of what is reserved is left to ask what became of it.
      await acknowledged(client, inTime({ text: 'COMMIT' }, LIMITS.commitMs / 2));
    } catch (error) {
      if (isRefusal(error)) throw error;
      void client.end(); // Or the pool would give it to the next one.
      if (id.xid === null) return;
      if (error instanceof NotAcknowledgedError) throw new CommitOutcomeUnknownError(error);
      this.logger.warn('The connection broke in a commit; PostgreSQL is asked about the outcome');
      if (!(await wasCommitted(this.dataSource, id, error))) throw new DatabaseUnavailableError(error);
    }
  }
}

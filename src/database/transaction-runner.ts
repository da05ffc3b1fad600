import { setTimeout as delay } from 'node:timers/promises';
import { Injectable, Logger } from '@nestjs/common';
import type { Client, ClientBase, QueryConfig, QueryResultRow } from 'pg';
import { DataSource, type EntityManager, type QueryRunner } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import {
  CommitOutcomeUnknownError,
  DatabaseUnavailableError,
  isReadOnlyServer,
  isRefusal,
  isRetryable,
} from './database-errors.js';
import {
  acknowledged,
  ASK_ID,
  BEGIN,
  CONFIRM_READ,
  NotAcknowledgedError,
  type TransactionId,
  wasCommitted,
} from './commit.js';
import { connect, queryPrepared } from './prepared-statement.js';

const MAX_RETRIES = 3;
const MAX_JITTER_MS = 50;

/** What a transaction writes, and what its caller gets of the rows that the last statement returns. */
export interface Writes<Row, Result> {
  /** None at all rolls the transaction back, which needs no flush to disk. */
  readonly statements: readonly QueryConfig[];
  /** The rows of the last statement, and of each. */
  readonly toResult: (rows: readonly Row[], all: readonly (readonly QueryResultRow[])[]) => Result;
}

/** A transaction that locks rows, decides by what it finds and writes. */
export interface LockedDecision<Locked, Read, Written, Result> {
  readonly lock: QueryConfig;
  /** What else is to be known, as it is when the locks are held. */
  readonly read?: QueryConfig;
  readonly decide: (locked: readonly Locked[], read: readonly Read[]) => Writes<Written, Result>;
  /** Told when all is decided and written and the end is on its way: the locks are as good as gone. */
  readonly onEnding?: () => void;
}

/** Runs work in a transaction: the one place that begins, commits, rolls back and retries. */
@Injectable()
export class TransactionRunner {
  private readonly logger = new Logger(TransactionRunner.name);

  constructor(private readonly dataSource: DataSource) {}

  /** For what needs no transaction. */
  get manager(): EntityManager {
    return this.dataSource.manager;
  }

  /**
   * Commits what `work` did through the given manager, or nothing of it. A deadlock or a serialization failure runs
   * `work` again in a new transaction, at most three times, after a short random wait.
   *
   * @throws CommitOutcomeUnknownError when it cannot be told whether the commit took place.
   */
  async run<T>(work: (manager: EntityManager) => Promise<T>): Promise<T> {
    return this.retry(async (runner) => {
      const client = await connect(runner);
      try {
        await runner.startTransaction();
        const result = await work(runner.manager);
        const [id] = await runner.manager.query<[TransactionId]>(ASK_ID);
        await this.commit(client, id);
        return result;
      } catch (error) {
        await rollBack(client, error);
        throw error;
      }
    });
  }

  /**
   * The same in three round trips: the lock travels with `BEGIN`, all writes together, and `COMMIT`. Between the first two
   * stands `decide`, which cannot be asynchronous: nothing is waited for while rows are locked.
   */
  async lockThenWrite<Locked extends QueryResultRow, Read extends QueryResultRow, Written extends QueryResultRow, T>({
    lock,
    read,
    decide,
    onEnding,
  }: LockedDecision<Locked, Read, Written, T>): Promise<T> {
    const prepare = async (client: ClientBase) => {
      const [locked, found] = await Promise.all([
        client.query<Locked>(lock),
        read === undefined ? undefined : client.query<Read>(read),
      ]);
      return decide(locked.rows, found?.rows ?? []);
    };
    return this.retry((runner) => this.attempt(runner, { prepare, onEnding }));
  }

  /**
   * One statement, a transaction by itself in one round trip. It must do no harm when it is run twice: what became of it is
   * not looked up when its answer is lost.
   */
  async writeRepeatable<Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]> {
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

  /** Writes that need nothing read before them, together. */
  async write<Written extends QueryResultRow, T>(writes: Writes<Written, T>): Promise<T> {
    return this.retry((runner) => this.attempt(runner, { prepare: () => Promise.resolve(writes) }));
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
        await runner.release();
      }
      await delay(Math.random() * MAX_JITTER_MS * (retry + 1));
    }
  }

  private async attempt<Written extends QueryResultRow, T>(
    runner: QueryRunner,
    { prepare, onEnding }: { prepare: (client: ClientBase) => Promise<Writes<Written, T>>; onEnding?: () => void },
  ): Promise<T> {
    const client = await connect(runner);
    const begun = begin(client);
    try {
      const [id, { statements, toResult }] = await Promise.all([begun, prepare(client)]);
      const results = await Promise.all(statements.map((statement) => client.query<Written>(statement)));
      const rows = results.map((each) => each.rows);
      const result = toResult(rows.at(-1) ?? [], rows);
      const ended = statements.length > 0 ? this.commit(client, id) : rollBack(client);
      onEnding?.();
      await ended;
      return result;
    } catch (error) {
      await rollBack(client, error);
      throw error;
    }
  }

  /** Returns when the transaction is on disk, also when that was never heard of. Without an id it has written nothing. */
  private async commit(client: Client, id: TransactionId): Promise<void> {
    try {
      await acknowledged(client, { text: 'COMMIT' });
    } catch (error) {
      if (isRefusal(error)) throw error;
      void client.end(); // Or the pool would give it to the next one.
      if (id.xid === null) return;
      if (error instanceof NotAcknowledgedError) throw new CommitOutcomeUnknownError(error);
      this.logger.warn(`The connection broke in a commit; asking PostgreSQL about transaction ${id.xid}`);
      if (!(await wasCommitted(this.dataSource, id, error))) throw new DatabaseUnavailableError(error);
    }
  }
}

/** Sends the beginning of a transaction, and gives its id. For two statements in one text pg gives a list, whatever its types say. */
async function begin(client: ClientBase): Promise<TransactionId> {
  const [, row] = [await client.query<TransactionId>(BEGIN)].flat().map(({ rows }) => rows[0]);
  if (row === undefined) throw new Error('PostgreSQL gave a transaction no id');
  return row;
}

/**
 * Without effect after a commit. A connection that cannot be rolled back is closed: PostgreSQL does it then. One to a server that
 * only reads is closed as well, so that the next request asks for the server that writes.
 */
async function rollBack(client: Client, error?: unknown): Promise<void> {
  if (isReadOnlyServer(error)) void client.end();
  else await client.query('ROLLBACK').catch(() => void client.end());
}

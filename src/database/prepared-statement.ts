import pg, { type QueryConfig, type QueryResultRow } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { DeadlineError, withDeadline } from '../runtime/deadline.js';
import { remainingMs } from '../runtime/request-context.js';
import { DatabaseUnavailableError, isConnectionError, isReadOnlyServer } from './database-errors.js';

/** Runs a statement that only reads; with a name it is parsed and planned once a connection. */
export async function readPrepared<Row extends QueryResultRow>(
  dataSource: DataSource,
  statement: QueryConfig,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return await queryPrepared<Row>(runner, statement);
  } finally {
    await release(runner);
  }
}

/** Waits for reads no longer than the time budget; they end by themselves. @throws DatabaseUnavailableError */
export async function readInBudget<T>(reads: Promise<T>): Promise<T> {
  const leftMs = remainingMs();
  if (leftMs === Infinity) return reads;
  return withDeadline(reads, leftMs).catch((error: unknown) => {
    throw error instanceof DeadlineError ? new DatabaseUnavailableError(error) : error;
  });
}

/** Runs one statement outside of any transaction, or in the one that the runner has begun. */
export async function queryPrepared<Row extends QueryResultRow>(
  runner: QueryRunner,
  statement: QueryConfig,
): Promise<Row[]> {
  const client = await connect(runner);
  const result = await client.query<Row>(inTime(statement)).catch((error: unknown) => {
    // Or the pool would give it to the next one.
    if (isConnectionError(error) || isReadOnlyServer(error)) void client.end();
    throw error;
  });
  return result.rows;
}

/** Runs a statement in the transaction of a manager. */
export async function queryWithin<Row extends QueryResultRow>(
  { queryRunner }: EntityManager,
  statement: QueryConfig,
): Promise<Row[]> {
  if (queryRunner === undefined) throw new Error('The manager belongs to no transaction');
  return queryPrepared<Row>(queryRunner, statement);
}

/**
 * The driver's own client of a runner, for what TypeORM has no words for: prepared statements, several at a time. Where the time budget is
 * short, less `reservedMs`, so is the wait for the connection.
 *
 * @throws DatabaseUnavailableError when nothing is left of the budget.
 */
export async function connect(runner: QueryRunner, reservedMs = 0): Promise<pg.Client> {
  const leftMs = remainingMs() - reservedMs;
  if (leftMs <= 0) throw new DatabaseUnavailableError(new Error('Nothing is left of the time for an answer'));
  const connecting = runner.connect();
  const client: unknown =
    leftMs > LIMITS.connectMs ? await connecting : await connectInTime(runner, connecting, leftMs);
  if (!(client instanceof pg.Client)) throw new Error('The data source is not one of PostgreSQL');
  return client;
}

/** Runners whose connection nobody waits for any more. */
const late = new WeakMap<QueryRunner, Promise<unknown>>();

/** Gives the connection of a runner back to the pool; one that is not there yet when it comes, for TypeORM would lose it. */
export async function release(runner: QueryRunner): Promise<void> {
  const connecting = late.get(runner);
  if (connecting === undefined) await runner.release();
  else void connecting.then(() => runner.release()).catch(() => undefined);
}

async function connectInTime(
  runner: QueryRunner,
  connecting: Promise<unknown>,
  milliseconds: number,
): Promise<unknown> {
  return withDeadline(connecting, milliseconds).catch((error: unknown) => {
    late.set(runner, connecting);
    throw isConnectionError(error) ? error : new DatabaseUnavailableError(error);
  });
}

/** A statement that gives up when the budget does, where that is before its own time limit. */
export function inTime(statement: QueryConfig, reservedMs = 0): QueryConfig {
  const leftMs = remainingMs() - reservedMs;
  if (leftMs > LIMITS.transactionMs + LIMITS.answerMarginMs) return statement;
  const withTimeout: QueryConfig & { query_timeout: number } = { ...statement, query_timeout: Math.max(leftMs, 1) };
  return withTimeout;
}

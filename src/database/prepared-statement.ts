import pg, { type QueryConfig, type QueryResultRow } from 'pg';
import type { DataSource, EntityManager, QueryRunner } from 'typeorm';
import { isConnectionError, isReadOnlyServer } from './database-errors.js';

/** Runs a statement that only reads; with a name it is parsed and planned once a connection. */
export async function readPrepared<Row extends QueryResultRow>(
  dataSource: DataSource,
  statement: QueryConfig,
): Promise<Row[]> {
  const runner = dataSource.createQueryRunner();
  try {
    return await queryPrepared<Row>(runner, statement);
  } finally {
    await runner.release();
  }
}

/** Runs one statement outside of any transaction, or in the one that the runner has begun. */
export async function queryPrepared<Row extends QueryResultRow>(
  runner: QueryRunner,
  statement: QueryConfig,
): Promise<Row[]> {
  const client = await connect(runner);
  const result = await client.query<Row>(statement).catch((error: unknown) => {
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

/** The driver's own client of a runner, for what TypeORM has no words for: prepared statements, several at a time. */
export async function connect(runner: QueryRunner): Promise<pg.Client> {
  const client: unknown = await runner.connect();
  if (!(client instanceof pg.Client)) throw new Error('The data source is not one of PostgreSQL');
  return client;
}

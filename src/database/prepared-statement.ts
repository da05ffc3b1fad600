import pg, { type QueryConfig, type QueryResultRow } from 'pg';
import type { DataSource, QueryRunner } from 'typeorm';
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

/** Runs a statement by itself. */
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

/** The driver's own client of a runner, for what TypeORM has no words for: prepared statements, several at a time. */
export async function connect(runner: QueryRunner): Promise<pg.Client> {
  const client: unknown = await runner.connect();
  if (!(client instanceof pg.Client)) throw new Error('The data source is not one of PostgreSQL');
  return client;
}

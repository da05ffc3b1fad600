import type { DataSourceOptions } from 'typeorm';
import type { Config } from '../config/config.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** How long a statement may go past the server's own timeout before its connection is given up as dead and closed. */
const READ_TIMEOUT_MARGIN_MS = 500;
/** How long a request waits for a connection, whether PostgreSQL is slow to give one or all are in use. */
const CONNECT_TIMEOUT_MS = 2_000;

/**
 * The one description of the database, for the application and for TypeORM's CLI. Every connection gives up on a lock, a
 * statement, a transaction and an idle transaction by itself: with the wait for a connection less than five seconds.
 *
 * Nothing here is found by reading a table from end to end. PostgreSQL keeps the plan of a prepared statement, a trigger or a
 * foreign key's check for a connection, and one that was made while a table was nearly empty would do just that for each
 * order once it has grown.
 */
export function dataSourceOptions(database: Config['database']): PostgresOptions {
  const { url, poolSize, lockTimeoutMs, statementTimeoutMs, transactionTimeoutMs } = database;
  return {
    type: 'postgres',
    url,
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    parseInt8: true,
    installExtensions: false,
    applicationName: 'order-system',
    poolSize,
    connectTimeoutMS: CONNECT_TIMEOUT_MS,
    extra: {
      pipeline: true,
      keepAlive: true,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + READ_TIMEOUT_MARGIN_MS,
      options: `-c transaction_timeout=${transactionTimeoutMs} -c enable_seqscan=off`,
    },
  };
}

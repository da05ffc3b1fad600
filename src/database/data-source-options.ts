import pg from 'pg';
import type { DataSourceOptions } from 'typeorm';
import type { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { BoundedPool } from './bounded-pool.js';
import { SnakeNamingStrategy } from './snake-naming-strategy.js';

type PostgresOptions = Extract<DataSourceOptions, { type: 'postgres' }>;

/** A session with this setting writes the movement of each stock that it changes; for others a trigger does (docs/decisions/0008). */
const WRITES_LEDGER = 'order_system.writes_ledger=on';

/** Workers of the release before do not know `orders.fulfilment_key`, and get no order that has one (docs/decisions/0018). */
const KNOWS_KEYS = 'order_system.knows_fulfilment_keys=on';

/** Settings of each session. */
const SESSION = ['client_min_messages=warning', 'enable_seqscan=off', 'jit=off', WRITES_LEDGER, KNOWS_KEYS];

/** The name of the connections that requests read by: however many read, those of `DATABASE_POOL_SIZE` are left to sales. */
export const READS = 'reads';

/** What the application and TypeORM's CLI have in common. */
export function connectionOptions(url: string): PostgresOptions {
  return {
    type: 'postgres',
    url,
    namingStrategy: new SnakeNamingStrategy(),
    synchronize: false,
    parseInt8: true,
    installExtensions: false,
    applicationName: 'order-system',
  };
}

/**
 * The application's connections. Each gives up on a lock, a statement, a transaction and an idle transaction by itself: with
 * the wait for a connection less than five seconds.
 *
 * No table is read from end to end here but a short one. PostgreSQL keeps the plan of a prepared statement, a trigger or a foreign
 * key's check for a connection, and one that was made while a table was nearly empty would do just that for each order
 * once it has grown. Up to version 17 a scan that is taken all the same counts as dear enough to be compiled; nothing is.
 */
export function dataSourceOptions(database: Config['database'], maxLifetimeSeconds = 0): PostgresOptions {
  const { url, poolSize, lockTimeoutMs, statementTimeoutMs, transactionTimeoutMs } = database;
  return {
    ...connectionOptions(url),
    driver: { ...pg, Pool: BoundedPool },
    poolSize,
    connectTimeoutMS: LIMITS.connectMs,
    extra: {
      pipeline: true,
      keepAlive: true,
      maxLifetimeSeconds,
      statement_timeout: statementTimeoutMs,
      lock_timeout: lockTimeoutMs,
      idle_in_transaction_session_timeout: statementTimeoutMs,
      query_timeout: statementTimeoutMs + LIMITS.answerMarginMs,
      options: [`transaction_timeout=${transactionTimeoutMs}`, ...SESSION].map((setting) => `-c ${setting}`).join(' '),
    },
  };
}

/** A reader is never told that its server is no primary any more, so each of its connections is made anew after a while. */
const READS_LIFETIME_SECONDS = 60;

/** The connections that requests read by. PostgreSQL knows them by a name of their own. */
export function readOptions(database: Config['database']): PostgresOptions {
  const options = dataSourceOptions({ ...database, poolSize: database.readPoolSize }, READS_LIFETIME_SECONDS);
  return { ...options, applicationName: 'order-system reads' };
}

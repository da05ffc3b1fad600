import pg from 'pg';

/** The longest that a statement of an audit may take. */
const TIMEOUT_MS = 3_600_000;
/** Memory for each of the handful of sorts; PostgreSQL sorts the rest on disk. */
const WORK_MEM = '32MB';

/** A connection of its own: those of the pool time out long before, and avoid sequential scans. The caller ends it. */
export async function connectForAudit(connectionString: string): Promise<pg.Client> {
  const client = new pg.Client({
    connectionString,
    application_name: 'order-system audit',
    connectionTimeoutMillis: 5_000,
    keepAlive: true,
    statement_timeout: TIMEOUT_MS,
    query_timeout: TIMEOUT_MS,
  });
  // The running query fails with the error; without a listener the process would end.
  client.on('error', () => undefined);
  await client.connect();
  // PostgreSQL cannot know how many rows a slice has, and would look millions of them up one by one.
  await client.query(`SET work_mem TO '${WORK_MEM}'; SET enable_nestloop TO off`);
  return client;
}

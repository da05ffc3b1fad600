import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { LIMITS } from '../../config/limits.js';
import { remainingMs } from '../../runtime/request-context.js';
import { connect } from '../prepared-statement.js';

/**
 * Runs `work` on a connection within the time budget, less the time that is reserved for the commit (`LIMITS.commitMs`). The wait for the
 * connection is part of it. A connection whose work has not ended by then is closed, and PostgreSQL rolls back what was not committed.
 *
 * @param isCommitting asked when the time is up: a connection that commits is not closed.
 * @throws DatabaseUnavailableError
 */
export async function runInBudget<T>(
  runner: QueryRunner,
  isCommitting: () => boolean,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(runner, LIMITS.commitMs);
  const leftMs = remainingMs() - LIMITS.commitMs;
  if (leftMs === Infinity) return work(client);
  const cut = setTimeout(() => {
    if (!isCommitting()) client.connection.stream.destroy();
  }, leftMs);
  try {
    return await work(client);
  } finally {
    clearTimeout(cut);
  }
}

import type { Client } from 'pg';
import type { QueryRunner } from 'typeorm';
import { remainingMs } from '../runtime/time-budget.js';
import { connect } from './prepared-statement.js';

/**
 * Runs `work` on a connection within the time budget, less `reservedMs`. Where the budget is short, the wait for the connection is as well,
 * and a connection whose work has not ended by then is closed: PostgreSQL rolls back what was not committed.
 *
 * @param hasToFinish asked when the time is up: whether the connection must not be closed any more.
 * @throws DatabaseUnavailableError
 */
export async function runInBudget<T>(
  runner: QueryRunner,
  { reservedMs, hasToFinish }: { reservedMs: number; hasToFinish: () => boolean },
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const client = await connect(runner, reservedMs);
  const leftMs = remainingMs() - reservedMs;
  if (leftMs === Infinity) return work(client);
  const cut = setTimeout(() => {
    if (!hasToFinish()) client.connection.stream.destroy();
  }, leftMs);
  try {
    return await work(client);
  } finally {
    clearTimeout(cut);
  }
}

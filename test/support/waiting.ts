import type pg from 'pg';
import { eventually } from './eventually.js';

/** Waits until `count` other sessions are blocked by the session `pid`, as PostgreSQL itself tells. */
export async function untilBlockedBy(sql: pg.Pool, pid: number, count: number): Promise<void> {
  await eventually(async () => {
    const { rows } = await sql.query('SELECT pid FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid))', [pid]);
    expect(rows).toHaveLength(count);
  });
}

/** Opens a transaction of the test's own; `end` finishes it and gives the connection back. */
export async function openTransaction(sql: pg.Pool) {
  const client = await sql.connect();
  await client.query('BEGIN');
  const { rows } = await client.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
  return {
    pid: rows[0]?.pid ?? 0,
    query: (text: string, values: unknown[]) => client.query(text, values),
    end: async (statement: 'COMMIT' | 'ROLLBACK') => {
      await client.query(statement);
      client.release();
    },
  };
}

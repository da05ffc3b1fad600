import { setTimeout as delay } from 'node:timers/promises';
import type { Client, QueryConfig, QueryResultRow } from 'pg';
import type { DataSource } from 'typeorm';
import { withDeadline } from '../../runtime/deadline.js';
import { remainingMs } from '../../runtime/request-context.js';
import { LIMITS } from '../../config/limits.js';
import { CommitOutcomeUnknownError } from '../database-errors.js';
import { connect, release } from '../prepared-statement.js';

const LOOK_UP_INTERVAL_MS = 100;
/** Of a notice that is no warning. https://www.postgresql.org/docs/current/errcodes-appendix.html */
const SUCCESS = '00000';

/**
 * What a transaction id belongs to: the timeline of the server, and the moment from which its statistics count, which a crash
 * moves. A promoted standby and a server that has recovered from a crash give ids out again that were given out before, to
 * other transactions.
 */
export const SERVER = `left(pg_walfile_name(pg_current_wal_insert_lsn()), 8) || ' ' || pg_stat_get_checkpointer_stat_reset_time()`;

/** A transaction that has begun to write. Asked for at the beginning, in case the end is never heard of. */
export interface TransactionId {
  /** `null` when it has written nothing. */
  readonly xid: string | null;
  readonly server: string;
}

export const BEGIN = `BEGIN; SELECT pg_current_xact_id()::text AS xid, ${SERVER} AS server`;
export const ASK_ID = `SELECT pg_current_xact_id_if_assigned()::text AS xid, ${SERVER} AS server`;

/** A word in the log of PostgreSQL, which the commit waits for. */
const LOG_WORD = `pg_logical_emit_message(true, 'order-system', 'read')`;

/**
 * What became of a transaction, as far as this server can know. The look-up writes a word to the log of PostgreSQL, so that its
 * own commit is acknowledged only when all before it is as durable as a commit has to be, on a synchronous standby too.
 * https://www.postgresql.org/docs/current/functions-info.html, `pg_xact_status`.
 */
const LOOK_UP = `
  SELECT CASE WHEN ${SERVER} = $2 THEN pg_xact_status($1::text::xid8) END AS status,
         ${LOG_WORD}`;

/**
 * Makes a transaction that has only read one whose commit is acknowledged when all that it has read is as durable as a commit.
 * The id is asked for first, because a server that only reads refuses it by a code of its own (25006).
 */
export const CONFIRM_READ = `SELECT pg_current_xact_id(), ${LOG_WORD}`;

/**
 * PostgreSQL ended a transaction with a warning, as it does when it gives up to wait for a synchronous standby: it is committed
 * here, and lost if the standby takes over. Or it rolled back what should have been committed.
 */
export class NotAcknowledgedError extends Error {}

/** Runs a statement that commits. @throws NotAcknowledgedError */
export async function acknowledged<Row extends QueryResultRow>(client: Client, statement: QueryConfig): Promise<Row[]> {
  const warnings: string[] = [];
  // By its code: the word `WARNING` is in the language of the server.
  const note = ({ code, message = '' }: { code?: string; message?: string }) => {
    if (code !== SUCCESS) warnings.push(message);
  };
  client.on('notice', note);
  try {
    const { command, rows } = await client.query<Row>(statement);
    if (warnings.length > 0) throw new NotAcknowledgedError(warnings.join('; '));
    if (command === 'ROLLBACK') throw new NotAcknowledgedError('PostgreSQL rolled back');
    return rows;
  } finally {
    client.off('notice', note);
  }
}

/**
 * Asks PostgreSQL what became of a transaction whose commit got no answer.
 *
 * @throws CommitOutcomeUnknownError when it cannot be known.
 */
export async function wasCommitted(dataSource: DataSource, id: TransactionId, cause: unknown): Promise<boolean> {
  const deadline = Date.now() + Math.min(LIMITS.commitLookUpMs, remainingMs());
  while (Date.now() < deadline) {
    const status = await withDeadline(statusOf(dataSource, id), deadline - Date.now()).catch(() => null);
    if (status === 'committed' || status === 'aborted') return status === 'committed';
    await delay(LOOK_UP_INTERVAL_MS);
  }
  throw new CommitOutcomeUnknownError(cause);
}

async function statusOf(dataSource: DataSource, { xid, server }: TransactionId): Promise<string | null> {
  const runner = dataSource.createQueryRunner();
  try {
    const client = await connect(runner);
    const asked = { text: LOOK_UP, values: [xid, server] };
    const [row] = await acknowledged<{ status: string | null }>(client, asked).catch((error: unknown) => {
      void client.end(); // Or the pool would give it to the next one.
      throw error;
    });
    return row?.status ?? null;
  } finally {
    await release(runner);
  }
}

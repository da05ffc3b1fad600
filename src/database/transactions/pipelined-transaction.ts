import type { Client, ClientBase, QueryConfig, QueryResultRow } from 'pg';
import { BEGIN, type TransactionId } from './commit.js';
import { isReadOnlyServer } from '../database-errors.js';
import { inTime } from '../prepared-statement.js';

/**
 * A transaction in as few round trips as possible: statements that are sent without awaiting each other share one, and the first ones
 * share it with `BEGIN`. Its caller ends it, by `commit` or by `rollBack`.
 */
export class PipelinedTransaction {
  hasEnded = false;
  /** `COMMIT` is sent. */
  isCommitting = false;
  private readonly begun: Promise<TransactionId>;

  constructor(
    private readonly client: Client,
    private readonly commitAs: (id: TransactionId) => Promise<void>,
  ) {
    this.begun = begin(client);
    this.begun.catch(() => undefined); // The first statement fails with it.
  }

  /** Gives the rows of a statement. */
  async query<Row extends QueryResultRow>(statement: QueryConfig): Promise<Row[]> {
    const answer = this.client.query<Row>(statement);
    answer.catch(() => undefined); // When the beginning has failed, its error is the cause, and this one only follows from it.
    await this.begun;
    return (await answer).rows;
  }

  /** Sends `COMMIT`; resolves when what was written is on disk. Call it after the last statement has answered. */
  async commit(): Promise<void> {
    const id = await this.begun;
    this.hasEnded = true;
    this.isCommitting = true;
    await this.commitAs(id);
  }

  /** Ends a transaction that has written nothing, which needs no flush to disk. */
  async rollBack(): Promise<void> {
    this.hasEnded = true;
    await rollBack(this.client);
  }
}

/** Sends the beginning of a transaction, and gives its id. For two statements in one text pg gives a list, whatever its types say. */
async function begin(client: ClientBase): Promise<TransactionId> {
  const [, row] = [await client.query<TransactionId>(BEGIN)].flat().map(({ rows }) => rows[0]);
  if (row === undefined) throw new Error('PostgreSQL gave a transaction no id');
  return row;
}

/**
 * Rolls back; after a commit this does nothing. If the rollback fails, the connection is closed, and PostgreSQL rolls back. A connection
 * to a server that only reads is closed as well, so that the next request asks for the server that writes.
 */
export async function rollBack(client: Client, error?: unknown): Promise<void> {
  if (isReadOnlyServer(error)) void client.end();
  else await client.query(inTime({ text: 'ROLLBACK' })).catch(() => void client.end());
}

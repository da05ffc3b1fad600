import type { DataSource } from 'typeorm';
import { SERVER } from '../database/transactions/commit.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { LogRow } from '../orders/history/order-event.js';

/** Assigns a new transaction id: every transaction that has begun to write before has a lower one. */
const NEXT_TRANSACTION = {
  name: 'next-transaction-id',
  text: `SELECT pg_current_xact_id()::text AS xid, ${SERVER} AS server`,
};

/** Once every transaction of the server with an id below `xid` has ended, no event with an id up to `eventId` can appear any more. */
interface Horizon {
  readonly eventId: number;
  readonly xid: bigint;
  /** Transaction ids are of one server: another one, or one that has crashed, gives them out again. */
  readonly server: string;
}

/**
 * Reads the log of events by their ids, and skips none. Ids are given out before the commit, so an event may become visible after
 * one with a higher id: `id > last` would lose it. A missing id is therefore waited for until every transaction has ended that may
 * have it; then it is known to belong to none (its transaction was rolled back, or a restart has left ids out).
 *
 * What that rests on: an event's transaction has written before the event gets its id, and so has a transaction id by then; and the
 * sequence gives ids out one by one. Nothing of it is stored, so it holds in any cluster that the log is restored into. See
 * docs/decisions/0017-reading-the-event-log.md.
 */
export class SettledRows<Row extends LogRow> {
  private horizon: Horizon | undefined;

  /** @param read gives the committed rows after an id, in the order of their ids, so many at most, all of one snapshot. */
  constructor(
    private readonly dataSource: DataSource,
    private readonly read: (after: number, limit: number) => Promise<readonly Row[]>,
  ) {}

  /** The last page ended before an event that may still be committed. */
  get isWaiting(): boolean {
    return this.horizon !== undefined;
  }

  /**
   * Those of the next `limit` rows after the id `cursor` whose predecessors are all visible, or known never to appear, ascending; and the
   * id to go on after.
   */
  async after(cursor: number, limit: number): Promise<{ readonly rows: readonly Row[]; readonly last: number }> {
    const rows = await this.read(cursor, limit);
    const settledUpTo = this.settledUpTo(rows);
    const settled: Row[] = [];
    let last = cursor;
    for (const row of rows) {
      // Stops at the first gap that may still be filled.
      if (row.id !== last + 1 && row.id > settledUpTo) break;
      settled.push(row);
      last = row.id;
    }
    if (this.horizon !== undefined && this.horizon.eventId <= last) this.horizon = undefined;
    const newest = rows.at(-1);
    if (newest !== undefined && settled.length < rows.length) await this.rememberHorizon(newest);
    return { rows: settled, last };
  }

  /** All rows are of one snapshot, which knows the oldest transaction that had not ended. */
  private settledUpTo([row]: readonly LogRow[]): number {
    if (this.horizon === undefined || row?.server !== this.horizon.server) return 0;
    return BigInt(row.oldestTransaction) >= this.horizon.xid ? this.horizon.eventId : 0;
  }

  /** Notes the transactions that may still bring an id up to that of `newest`, unless a horizon of the server is noted already. */
  private async rememberHorizon(newest: LogRow): Promise<void> {
    if (this.horizon?.server === newest.server) return;
    const [next] = await readPrepared<{ xid: string; server: string }>(this.dataSource, NEXT_TRANSACTION);
    if (next?.server !== newest.server) return; // The next look is at the other server.
    this.horizon = { eventId: newest.id, xid: BigInt(next.xid), server: next.server };
  }
}

import type { DataSource } from 'typeorm';
import { readPrepared } from '../database/prepared-statement.js';
import { type LoggedEvent, type OrderEvent, selectEventsAfter } from '../orders/history/order-event.js';
import { SettledRows } from './settled-rows.js';

/** A part of the log. */
export interface SettledPage {
  readonly events: readonly OrderEvent[];
  /** The id to go on after. */
  readonly last: number;
}

/** Reads the events of all orders, and skips none. */
export class SettledEvents {
  private readonly log: SettledRows<LoggedEvent>;

  constructor(dataSource: DataSource) {
    this.log = new SettledRows<LoggedEvent>(dataSource, async (after, limit) =>
      readPrepared<LoggedEvent>(dataSource, selectEventsAfter(after, limit)),
    );
  }

  /** The last page ended before an event that may still be committed. */
  get isWaiting(): boolean {
    return this.log.isWaiting;
  }

  /** The next events, as {@link SettledRows.after} gives them. Notes of the release before, which are no events, are left out. */
  async after(cursor: number, limit: number): Promise<SettledPage> {
    const { rows, last } = await this.log.after(cursor, limit);
    return { events: rows.filter(({ isNote }) => !isNote).map(toEvent), last };
  }
}

function toEvent({
  id,
  type,
  orderId,
  sequence,
  status,
  cause,
  requestId,
  actor,
  jobId,
  createdAt,
}: LoggedEvent): OrderEvent {
  return { id, type, orderId, sequence, status, cause, requestId, actor, jobId, createdAt };
}

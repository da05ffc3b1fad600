import { setTimeout as delay } from 'node:timers/promises';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { CursorExpiredError, type EventCursor } from './event-cursor.js';
import { SettledEvents, type SettledPage } from './settled-events.js';

/** How often and how long a reader looks again for events that may still have to be committed before those that it sees. */
const LOOKS = 5;
const PAUSE_MS = 50;

const SELECT_NAME = { name: 'name-of-event-log', text: 'SELECT name::text FROM event_log' };

/** The log of all order events, for readers that keep a cursor. */
@Injectable()
export class EventLogService {
  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {}

  /** The cursor before the first event, or the one that a client has kept. @throws CursorExpiredError */
  async begin(cursor: EventCursor | undefined): Promise<EventCursor> {
    const log = await this.name();
    if (cursor !== undefined && cursor.log !== log) throw new CursorExpiredError();
    return cursor ?? { log, id: 0 };
  }

  /** Whether a cursor is still one of this log. */
  async isCurrent({ log }: EventCursor): Promise<boolean> {
    return log === (await this.name());
  }

  /** Makes a reader; it remembers which transactions it waits for. */
  reader(): SettledEvents {
    return new SettledEvents(this.reads);
  }

  /**
   * The next events after an id, at most `limit` rows of the log. No event is skipped: the page ends before the first event that a pending
   * transaction may still overtake, after a short wait for that transaction.
   */
  async page(after: number, limit: number): Promise<SettledPage> {
    const reader = this.reader();
    let page = await reader.after(after, limit);
    for (let look = 1; look < LOOKS && page.last === after && reader.isWaiting; look++) {
      await delay(PAUSE_MS);
      page = await reader.after(after, limit);
    }
    return page;
  }

  private async name(): Promise<string> {
    const [log] = await readPrepared<{ name: string }>(this.reads, SELECT_NAME);
    if (log === undefined) throw new Error('The log of events has no name');
    return log.name;
  }
}

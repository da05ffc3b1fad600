import { Injectable, Logger, type OnModuleDestroy } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { SELECT_LAST_EVENT_ID } from '../orders/order-event.js';
import { SettledEvents } from './settled-events.js';

/** From the commit of an event to its readers it takes this long at most, and a moment; PostgreSQL is asked by one query for all of them. */
const INTERVAL_MS = 100;
const PAGE_SIZE = 1_000;

/** Wakes a reader: events were added, of these orders. */
type Listener = (orderIds: ReadonlySet<number>) => void;

/**
 * Looks for new events as long as somebody wants to hear of them, once for all readers of the process. It only wakes them: each reads on from its own place, so
 * nothing is lost when a look fails.
 */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  private readonly logger = new Logger(EventFeed.name);
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  private reader: SettledEvents | undefined;
  private last: number | undefined;

  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {}

  /** Call what it returns to be left alone. */
  listen(listener: Listener): () => void {
    this.listeners.add(listener);
    this.schedule();
    return () => void this.listeners.delete(listener);
  }

  onModuleDestroy(): void {
    clearTimeout(this.timer);
    this.listeners.clear();
  }

  private schedule(): void {
    if (this.timer !== undefined || this.listeners.size === 0) return;
    this.timer = setTimeout(() => {
      void this.look()
        .catch((error: unknown) => {
          // Of another server, perhaps, or of a log that was replaced.
          this.last = undefined;
          this.logger.debug(String(error));
        })
        .finally(() => {
          if (this.listeners.size === 0) this.last = undefined;
          this.timer = undefined;
          this.schedule();
        });
    }, INTERVAL_MS).unref();
  }

  /**
   * After a pause in which nobody listened it begins at the end of the log: readers read what is before. An event with a lower id may be committed after
   * that, within the time that a transaction may take: then all are woken once more.
   */
  private async look(): Promise<void> {
    if (this.last === undefined || this.reader === undefined) {
      const [newest] = await readPrepared<{ id: number }>(this.reads, SELECT_LAST_EVENT_ID);
      this.reader = new SettledEvents(this.reads);
      this.last = newest?.id ?? 0;
      this.wake(new Set(), true);
      setTimeout(() => this.wake(new Set(), true), LIMITS.transactionMs + INTERVAL_MS).unref();
      return;
    }
    const { events, last } = await this.reader.after(this.last, PAGE_SIZE);
    this.last = last;
    if (events.length > 0) this.wake(new Set(events.map(({ orderId }) => orderId)), false);
  }

  /** @param all also those whose orders are not named. */
  private wake(orderIds: ReadonlySet<number>, all: boolean): void {
    for (const listener of this.listeners) listener(all ? EVERY_ORDER : orderIds);
  }
}

/** Has every order. */
const EVERY_ORDER: ReadonlySet<number> = Object.assign(new Set<number>(), { has: () => true });

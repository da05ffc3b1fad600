import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import { SELECT_LAST_EVENT_ID } from '../orders/history/order-event.js';
import { SettledEvents } from './settled-events.js';

/** How often PostgreSQL is asked for new events, by one query for all readers of the process. */
const INTERVAL_MS = 100;
const PAGE_SIZE = 1_000;

/** Has every order. */
const EVERY_ORDER: ReadonlySet<number> = Object.assign(new Set<number>(), { has: () => true });

/** Wakes a reader: events of these orders were added. */
type Listener = (orderIds: ReadonlySet<number>) => void;

/**
 * Looks for new events while at least one reader listens. It only wakes readers: each reads on from its own cursor, so nothing is lost when a
 * look fails.
 */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  private readonly logger = new Log(EventFeed.name);
  private readonly listeners = new Set<Listener>();
  private timer: NodeJS.Timeout | undefined;
  private reader: SettledEvents | undefined;
  private last: number | undefined;

  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {}

  /** Calls `listener` for new events until the function that it returns is called. */
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
          // PostgreSQL may have failed over, or the log may have been restored: begin at its end again.
          this.last = undefined;
          this.logger.debug('The log of events could not be read', { error });
        })
        .finally(() => {
          if (this.listeners.size === 0) this.last = undefined;
          this.timer = undefined;
          this.schedule();
        });
    }, INTERVAL_MS).unref();
  }

  /**
   * The first look begins at the end of the log, and wakes all readers to read what is before it. A transaction that was under way may commit an
   * event with a lower id after that, so all readers are woken once more when its time is over.
   */
  private async look(): Promise<void> {
    if (this.last === undefined || this.reader === undefined) {
      const [newest] = await readPrepared<{ id: number }>(this.reads, SELECT_LAST_EVENT_ID);
      this.reader = new SettledEvents(this.reads);
      this.last = newest?.id ?? 0;
      this.wake(EVERY_ORDER);
      setTimeout(() => this.wake(EVERY_ORDER), LIMITS.transactionMs + INTERVAL_MS).unref();
      return;
    }
    const { events, last } = await this.reader.after(this.last, PAGE_SIZE);
    this.last = last;
    if (events.length > 0) this.wake(new Set(events.map(({ orderId }) => orderId)));
  }

  private wake(orderIds: ReadonlySet<number>): void {
    for (const listener of this.listeners) listener(orderIds);
  }
}

import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import {
  type LoggedOrder,
  type LoggedOrders,
  SELECT_LAST_EVENT_ID,
  selectOrdersAfter,
  toLoggedOrders,
} from '../orders/history/order-event.js';
import { SettledRows } from './settled-rows.js';

/** How often PostgreSQL is asked for new events, by one query for all readers of the process. */
const INTERVAL_MS = 100;
/** More than are committed in that time. */
const PAGE_SIZE = 10_000;

/** Wakes a reader: there are new events that concern it. */
type Listener = () => void;

/** Of a reader that all events concern. */
const EVERY_ORDER = 'every order';

/**
 * Looks for new events while at least one reader listens. It only wakes readers: each reads on from its own cursor, so nothing is lost when a
 * look fails.
 */
@Injectable()
export class EventFeed implements OnModuleDestroy {
  private readonly logger = new Log(EventFeed.name);
  /** By the order whose events concern them, so that thousands of readers of other orders cost nothing. */
  private readonly listeners = new Map<number | typeof EVERY_ORDER, Set<Listener>>();
  private timer: NodeJS.Timeout | undefined;
  private reader: SettledRows<LoggedOrder> | undefined;
  private last: number | undefined;
  /** The last look has found an event that one before it may still overtake, and nothing else. */
  private isHeldUp = false;

  constructor(@InjectDataSource(READS) private readonly reads: DataSource) {}

  /** Calls `listener` for new events, of one order or of all, until the function that it returns is called. */
  listen(listener: Listener, orderId: number | undefined): () => void {
    const key = orderId ?? EVERY_ORDER;
    this.listeners.set(key, (this.listeners.get(key) ?? new Set()).add(listener));
    this.schedule();
    return () => {
      const others = this.listeners.get(key);
      others?.delete(listener);
      if (others?.size === 0) this.listeners.delete(key);
    };
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
      this.reader = new SettledRows<LoggedOrder>(this.reads, async (after, limit) =>
        toLoggedOrders(await readPrepared<LoggedOrders>(this.reads, selectOrdersAfter(after, limit))),
      );
      this.last = newest?.id ?? 0;
      this.wake(this.listeners.keys());
      setTimeout(() => this.wake(this.listeners.keys()), LIMITS.transactionMs + INTERVAL_MS).unref();
      return;
    }
    // While an id is missing, what is behind it is not read again and again.
    const { rows, last } = await this.reader.after(this.last, this.isHeldUp ? 1 : PAGE_SIZE);
    this.isHeldUp = last === this.last && this.reader.isWaiting;
    this.last = last;
    if (rows.length > 0) this.wake([EVERY_ORDER, ...new Set(rows.map(({ orderId }) => orderId))]);
  }

  private wake(orders: Iterable<number | typeof EVERY_ORDER>): void {
    for (const order of orders) for (const listener of this.listeners.get(order) ?? []) listener();
  }
}

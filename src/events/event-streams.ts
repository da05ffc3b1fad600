import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import { Config } from '../config/config.js';
import { OrderReaderService } from '../orders/order-reader.service.js';
import type { OrderEvent } from '../orders/order-event.js';
import { type FollowedOrder, OrderEventStreams } from '../orders/order-event-streams.js';
import { OverloadedError } from '../runtime/overloaded.error.js';
import { gauge } from '../telemetry/metrics.js';
import type { EventCursor } from './event-cursor.js';
import { EventFeed } from './event-feed.js';
import { EventLogService } from './event-log.service.js';

/** Nothing is sent for so long at most: a proxy takes a silent connection for dead after a minute, often. */
const HEARTBEAT_MS = 15_000;
const PAGE_SIZE = 500;
/** How long a stream waits before it reads again after PostgreSQL did not answer. */
const PAUSE_MS = 1_000;

const open = gauge({
  name: 'event_streams',
  unit: 'streams',
  help: 'Streams of events that clients of this process follow.',
});

/** An event of the whole log with the place behind it. */
export interface PlacedEvent {
  readonly event: OrderEvent;
  readonly cursor: EventCursor;
}

/** One who follows: sleeps until something may be new for it. */
class Follower {
  isOver = false;
  private isWoken = false;
  private resolve: () => void = () => undefined;

  wake(): void {
    this.isWoken = true;
    this.resolve();
  }

  end(): void {
    this.isOver = true;
    this.wake();
  }

  /** Returns at once when it was woken since the last time. */
  async sleep(milliseconds: number): Promise<void> {
    if (!this.isWoken) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.resolve = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
      clearTimeout(timer);
    }
    this.isWoken = false;
  }
}

/**
 * Streams of events. Each keeps its place and nothing else: it reads on from there when the feed wakes it and its client has room, so a client that is slow costs no
 * memory, and one that comes back with its place misses nothing.
 */
@Injectable()
export class EventStreams extends OrderEventStreams implements OnModuleDestroy {
  private readonly followers = new Set<Follower>();

  constructor(
    private readonly orders: OrderReaderService,
    private readonly log: EventLogService,
    private readonly feed: EventFeed,
    private readonly config: Config,
  ) {
    super();
  }

  /** Clients are told when to come back. */
  onModuleDestroy(): void {
    for (const follower of this.followers) follower.end();
  }

  async follow(orderId: number, sequence: number): Promise<FollowedOrder> {
    let last = sequence;
    // Before the stream begins: an order that is not there is a 404.
    await this.orders.getStatus(orderId);
    return this.open(
      (orderIds) => orderIds.has(orderId),
      async () => {
        const { events, isOver } = await this.orders.progress(orderId);
        const news = events.filter((event) => event.sequence > last);
        last = news.at(-1)?.sequence ?? last;
        return { news, isOver };
      },
    );
  }

  /** All events after a place, and those to come. @throws OverloadedError when too many streams are open. */
  followAll(from: EventCursor) {
    const reader = this.log.reader();
    let last = from.id;
    return this.open<PlacedEvent>(
      () => true,
      async () => {
        const page = await reader.after(last, PAGE_SIZE);
        last = page.last;
        const news = page.events.map((event) => ({ event, cursor: { log: from.log, id: event.id } }));
        return { news, isOver: false };
      },
    );
  }

  private open<T>(
    concerns: (orderIds: ReadonlySet<number>) => boolean,
    read: () => Promise<{ news: readonly T[]; isOver: boolean }>,
  ) {
    if (this.followers.size >= this.config.maxStreams) throw new OverloadedError();
    const follower = new Follower();
    this.followers.add(follower);
    open.inc();
    const leave = this.feed.listen((orderIds) => {
      if (concerns(orderIds)) follower.wake();
    });
    const close = () => {
      follower.end();
      leave();
      if (this.followers.delete(follower)) open.dec();
    };
    return { batches: batchesOf(follower, read), close };
  }
}

/** Reads until nothing is new, then sleeps. What fails is tried again: the client keeps its stream. */
async function* batchesOf<T>(
  follower: Follower,
  read: () => Promise<{ news: readonly T[]; isOver: boolean }>,
): AsyncGenerator<readonly T[] | 'stopping'> {
  let saidAt = performance.now();
  while (!follower.isOver) {
    const { news, isOver, hasFailed } = await read().then(
      (found) => ({ ...found, hasFailed: false }),
      () => ({ news: [], isOver: false, hasFailed: true }),
    );
    if (news.length > 0 || performance.now() - saidAt >= HEARTBEAT_MS) {
      yield news;
      saidAt = performance.now();
    }
    if (isOver) return;
    if (news.length === 0) await follower.sleep(hasFailed ? PAUSE_MS : HEARTBEAT_MS);
  }
  yield 'stopping';
}

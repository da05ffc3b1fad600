import { Injectable, type OnModuleDestroy } from '@nestjs/common';
import pLimit from 'p-limit';
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
const PAGE_SIZE = 100;
/** How long a stream waits before it reads again after PostgreSQL did not answer, and when an event may still be committed before others. */
const PAUSE_MS = { failed: 1_000, waiting: 100 };
/** A stream that nothing wakes reads all the same, now and then. */
const HEARTBEATS_PER_READ = 4;
/** Streams that read at the same time: the other connections are left to requests. */
const READS_IN_FLIGHT = 4;

const open = gauge({
  name: 'event_streams',
  unit: 'streams',
  help: 'Streams of events that clients of this process follow.',
});

/** What a stream is made of. */
interface Followed<T> {
  readonly batches: AsyncIterable<readonly T[] | 'stopping'>;
  readonly close: () => void;
  readonly stopping: AbortSignal;
}

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

  /** Whether it was woken, at once when that was since the last time. */
  async sleep(milliseconds: number): Promise<boolean> {
    if (!this.isWoken) {
      let timer: NodeJS.Timeout | undefined;
      await new Promise<void>((resolve) => {
        this.resolve = resolve;
        timer = setTimeout(resolve, milliseconds);
      });
      clearTimeout(timer);
    }
    const { isWoken } = this;
    this.isWoken = false;
    return isWoken;
  }
}

/**
 * Streams of events. Each keeps its place and nothing else: it reads on from there when the feed wakes it and its client has room, so a client that is slow costs no
 * memory, and one that comes back with its place misses nothing.
 */
@Injectable()
export class EventStreams extends OrderEventStreams implements OnModuleDestroy {
  private readonly followers = new Set<Follower>();
  private readonly stopping = new AbortController();
  private readonly reads = pLimit(READS_IN_FLIGHT);

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
    this.stopping.abort();
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
  followAll(from: EventCursor): Followed<PlacedEvent> {
    const reader = this.log.reader();
    let last = from.id;
    return this.open<PlacedEvent>(
      () => true,
      async () => {
        // After a restore into this database the place means nothing any more.
        if (!(await this.log.isCurrent(from))) return { news: [], isOver: true };
        const page = await reader.after(last, PAGE_SIZE);
        const hasMoved = page.last > last;
        last = page.last;
        const news = page.events.map((event) => ({ event, cursor: { log: from.log, id: event.id } }));
        return { news, isOver: false, waitMs: hasMoved ? 0 : reader.isWaiting ? PAUSE_MS.waiting : undefined };
      },
    );
  }

  private open<T>(concerns: (orderIds: ReadonlySet<number>) => boolean, read: () => Promise<Progress<T>>): Followed<T> {
    if (this.followers.size >= this.config.maxStreams || this.stopping.signal.aborted) throw new OverloadedError();
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
    return { batches: batchesOf(follower, async () => this.reads(read)), close, stopping: this.stopping.signal };
  }
}

/** What a read has found. */
interface Progress<T> {
  readonly news: readonly T[];
  readonly isOver: boolean;
  /** When to read again without being woken. */
  readonly waitMs?: number | undefined;
}

/** Reads until nothing is new, then sleeps. What fails is tried again: the client keeps its stream. */
async function* batchesOf<T>(
  follower: Follower,
  read: () => Promise<Progress<T>>,
): AsyncGenerator<readonly T[] | 'stopping'> {
  while (!follower.isOver) {
    const { news, isOver, waitMs } = await read().catch((): Progress<T> => ({
      news: [],
      isOver: false,
      waitMs: PAUSE_MS.failed,
    }));
    if (news.length > 0) yield news;
    if (isOver) return;
    if (news.length > 0 || waitMs === 0) continue;
    if (waitMs !== undefined) await follower.sleep(spread(waitMs));
    else {
      for (let beats = 0; beats < HEARTBEATS_PER_READ && !(await follower.sleep(spread(HEARTBEAT_MS))); beats++)
        yield [];
    }
  }
  yield 'stopping';
}

/** Up to a third less, so that streams that began together do not stay in step. */
function spread(milliseconds: number): number {
  return milliseconds * (1 - Math.random() / 3);
}

import { Injectable, type OnModuleDestroy, type OnModuleInit } from '@nestjs/common';
import pLimit from 'p-limit';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import type { Caller } from '../kernel/access/caller.js';
import { TooManyRequestsError } from '../kernel/access/too-many-requests.error.js';
import { OrderReaderService } from '../orders/order-reader.service.js';
import type { OrderEvent } from '../orders/history/order-event.js';
import { OrderEventStreams } from '../orders/history/order-event-streams.js';
import type { OwnedId } from '../kernel/access/owner.js';
import type { Followed } from '../runtime/followed.js';
import { OverloadedError } from '../runtime/overloaded.error.js';
import { gauge } from '../telemetry/metrics.js';
import type { EventCursor } from './event-cursor.js';
import { EventFeed } from './event-feed.js';
import { EventLogService } from './event-log.service.js';
import { Follower, type Progress } from './follower.js';

const PAGE_SIZE = 100;
/** How long a stream waits for a transaction that may still commit an event with a lower id. */
const PENDING_MS = 100;
/** When somebody who has too many streams may look again, in seconds. */
const PLACE_SECONDS = 10;
/** How often heartbeats that are due are sent. */
const BEAT_INTERVAL_MS = 100;
/**
 * The share of all streams that get their heartbeat at once. When the process has stood still, many heartbeats are due together; sent in
 * parts, they are spread again from then on.
 */
const BEAT_SHARE = 0.02;
/** Streams that read at the same time: the other connections are left to requests. */
const READS_IN_FLIGHT = 4;

const open = gauge({
  name: 'event_streams',
  unit: 'streams',
  help: 'Streams of events that clients of this process follow.',
});
open.set(0);

/** An event of the whole log with the place behind it. */
export interface PlacedEvent {
  readonly event: OrderEvent;
  readonly cursor: EventCursor;
}

/**
 * Streams of events. A stream keeps a cursor and nothing else: the feed wakes it, and it reads on from its cursor when its client has room. So
 * a slow client costs no memory, and one that comes back with its cursor misses nothing.
 */
@Injectable()
export class EventStreams extends OrderEventStreams implements OnModuleInit, OnModuleDestroy {
  /** With the actor of each; the one whose heartbeat is due next is the first. */
  private readonly followers = new Map<Pick<Follower<unknown>, 'beat' | 'beatAt' | 'stop'>, string | null>();
  private isStopping = false;
  private timer: NodeJS.Timeout | undefined;
  private readonly reads = pLimit(READS_IN_FLIGHT);

  constructor(
    private readonly orders: OrderReaderService,
    private readonly log: EventLogService,
    private readonly feed: EventFeed,
    private readonly config: Config,
  ) {
    super();
  }

  /** One timer for all: thousands of their own, due at as many moments, cost more than the heartbeats. */
  onModuleInit(): void {
    this.timer = setInterval(() => this.beat(), BEAT_INTERVAL_MS).unref();
  }

  /** Clients are told when to come back. */
  onModuleDestroy(): void {
    this.isStopping = true;
    clearInterval(this.timer);
    for (const follower of this.followers.keys()) follower.stop();
  }

  async follow(order: OwnedId, sequence: number, caller: Caller): Promise<Followed<OrderEvent>> {
    let last = sequence;
    // A missing order is a 404, which must be answered before the stream begins.
    await this.orders.getStatus(order);
    return this.open(caller, order.id, async () => {
      const { events, isOver } = await this.orders.progress(order);
      const news = events.filter((event) => event.sequence > last);
      last = news.at(-1)?.sequence ?? last;
      return { news, isOver };
    });
  }

  /** Follows all events after a cursor. @throws as {@link follow} does when too many streams are open. */
  followAll(from: EventCursor, caller: Caller): Followed<PlacedEvent> {
    const reader = this.log.reader();
    let last = from.id;
    return this.open<PlacedEvent>(caller, undefined, async () => {
      // A restore into this database makes the cursor meaningless.
      if (!(await this.log.isCurrent(from))) return { news: [], isOver: true };
      const page = await reader.after(last, PAGE_SIZE);
      const hasMoved = page.last > last;
      last = page.last;
      const news = page.events.map((event) => ({ event, cursor: { log: from.log, id: event.id } }));
      return { news, isOver: false, waitMs: hasMoved ? 0 : reader.isWaiting ? PENDING_MS : undefined };
    });
  }

  private open<T>(caller: Caller, orderId: number | undefined, read: () => Promise<Progress<T>>): Followed<T> {
    if (this.followers.size >= this.config.maxStreams || this.isStopping) throw new OverloadedError();
    this.expectPlaceFor(caller);
    const follower = new Follower<T>(
      async () => this.reads(read),
      () => {
        leave();
        if (this.followers.delete(follower)) open.dec();
      },
    );
    const leave = this.feed.listen(() => follower.wake(), orderId);
    this.followers.set(follower, caller.actor);
    open.inc();
    return follower;
  }

  private beat(): void {
    const now = performance.now();
    let left = Math.ceil(this.followers.size * BEAT_SHARE);
    for (const [follower, actor] of this.followers) {
      if (follower.beatAt > now || left-- === 0) break;
      this.followers.delete(follower);
      this.followers.set(follower, actor);
      follower.beat();
    }
  }

  /** One caller does not take the places of all others. @throws TooManyRequestsError */
  private expectPlaceFor({ actor, customerRef }: Caller): void {
    if (actor === null) return;
    const most = customerRef === null ? Math.ceil(this.config.maxStreams / 2) : LIMITS.customerStreams;
    const taken = [...this.followers.values()].filter((other) => other === actor).length;
    if (taken >= most)
      throw new TooManyRequestsError(`You follow ${taken} streams, and ${most} is the most`, PLACE_SECONDS);
  }
}

import type { Followed, FollowingClient } from '../runtime/followed.js';

/**
 * A heartbeat is due this often. When many are due at once, the last is sent five seconds later, which is still in time for a proxy that
 * closes a connection after half a minute of silence.
 */
const HEARTBEAT_MS = 20_000;
/** A stream reads with each such heartbeat, woken or not: a safety net that thousands of idle streams must not feel. */
const HEARTBEATS_PER_READ = 15;
/** How long a stream waits after a read that failed. */
const FAILED_MS = 1_000;

/** What a read has found. */
export interface Progress<T> {
  readonly news: readonly T[];
  readonly isOver: boolean;
  /** Read again after this time even if nothing wakes the follower. */
  readonly waitMs?: number | undefined;
}

/**
 * Reads when it is woken, until there is no news, as far as its client has room; a read that fails is tried again, and the client keeps its
 * stream. While nothing happens it is this object and no more: no timer, no promise.
 */
export class Follower<T> implements Followed<T> {
  /** When its next heartbeat is due, as `performance.now` tells it. */
  beatAt = performance.now() + HEARTBEAT_MS;
  private beats = 0;
  private client: FollowingClient<T> | undefined;
  private hasRoom = true;
  private isReading = false;
  private isWoken = true;
  private isOver = false;
  private isStopping = false;
  private timer: NodeJS.Timeout | undefined;

  /** @param onClose is called once or more often when the stream has ended, or its client has gone. */
  constructor(
    private readonly read: () => Promise<Progress<T>>,
    private readonly onClose: () => void,
  ) {}

  begin(client: FollowingClient<T>): void {
    this.client = client;
    if (this.isStopping) this.end('stopping');
    void this.readOn();
  }

  wake(): void {
    this.isWoken = true;
    void this.readOn();
  }

  resume(): void {
    this.hasRoom = true;
    void this.readOn();
  }

  beat(): void {
    this.beatAt = performance.now() + HEARTBEAT_MS;
    if (++this.beats % HEARTBEATS_PER_READ === 0) this.wake();
    if (this.hasRoom && !this.isOver) this.send([]);
  }

  /** The process stops. */
  stop(): void {
    this.isStopping = true;
    this.end('stopping');
  }

  close(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.onClose();
  }

  private async readOn(): Promise<void> {
    if (this.isReading || this.client === undefined) return;
    this.isReading = true;
    while (this.isWoken && this.hasRoom && !this.isOver) {
      this.isWoken = false;
      this.tell(await this.read().catch((): Progress<T> => ({ news: [], isOver: false, waitMs: FAILED_MS })));
    }
    this.isReading = false;
  }

  private tell({ news, isOver, waitMs }: Progress<T>): void {
    if (this.isOver) return;
    if (news.length > 0) this.send(news);
    if (isOver) this.end('over');
    else if (news.length > 0 || waitMs === 0) this.isWoken = true;
    else if (waitMs !== undefined) {
      clearTimeout(this.timer);
      this.timer = setTimeout(() => this.wake(), spread(waitMs));
    }
  }

  private send(news: readonly T[]): void {
    if (this.client !== undefined) this.hasRoom = this.client.send(news);
  }

  private end(why: 'over' | 'stopping'): void {
    if (this.isOver || this.client === undefined) return;
    this.close();
    this.client.end(why);
  }
}

/** Takes off up to a third, so that streams that began together do not stay in step. */
function spread(milliseconds: number): number {
  return milliseconds * (1 - Math.random() / 3);
}

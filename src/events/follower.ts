/** An empty batch is sent at least this often: many proxies close a connection that is silent for a minute. */
const HEARTBEAT_MS = 15_000;
/** A stream that is not woken reads anyway after this many heartbeats: a safety net that thousands of idle streams must not feel. */
const HEARTBEATS_PER_READ = 20;
/** How long a stream waits after a read that failed. */
const FAILED_MS = 1_000;

/** What a read has found. */
export interface Progress<T> {
  readonly news: readonly T[];
  readonly isOver: boolean;
  /** Read again after this time even if nothing wakes the follower. */
  readonly waitMs?: number | undefined;
}

/** Sleeps until there may be news. */
export class Follower {
  isOver = false;
  private isStopping = false;
  private isWoken = false;
  private resolve: () => void = () => undefined;
  private tellStopping: () => void = () => undefined;

  wake(): void {
    this.isWoken = true;
    this.resolve();
  }

  end(): void {
    this.isOver = true;
    this.wake();
  }

  /** Ends because the process stops. */
  stop(): void {
    this.isStopping = true;
    this.end();
    this.tellStopping();
  }

  onStopping(callback: () => void): void {
    this.tellStopping = callback;
    if (this.isStopping) callback();
  }

  /** Resolves to whether the follower was woken; at once if that has happened since it last slept. */
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

/** Reads until there is no news, then sleeps. A read that fails is tried again, and the client keeps its stream. */
export async function* batchesOf<T>(
  follower: Follower,
  read: () => Promise<Progress<T>>,
): AsyncGenerator<readonly T[] | 'stopping'> {
  while (!follower.isOver) {
    const { news, isOver, waitMs } = await read().catch((): Progress<T> => ({
      news: [],
      isOver: false,
      waitMs: FAILED_MS,
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

/** Takes off up to a third, so that streams that began together do not stay in step. */
function spread(milliseconds: number): number {
  return milliseconds * (1 - Math.random() / 3);
}

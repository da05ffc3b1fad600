import { Log } from './log.js';
import { withDeadline } from './deadline.js';

/** A connection that makes itself anew when it breaks. */
export interface WatchedConnection {
  /** For the log: `The cache's Redis`. */
  readonly name: string;
  /** When it has not answered for as long it is given up: its other end may be gone without a word. */
  readonly silenceMs: number;
  /** What is connected now; `undefined` while it is being made anew. */
  readonly current: () => unknown;
  readonly ping: () => Promise<unknown>;
  readonly renew: () => void;
}

/** How many times {@link WatchedConnection.silenceMs} a slow end is waited for at most. */
const MAX_PATIENCE = 4;

/** Looks after a connection as long as the process lives: has it made anew when it is silent, and logs when it goes and comes. */
export class ConnectionWatch {
  private readonly logger: Log;
  private available = true;
  private isWatching = false;
  private timer: NodeJS.Timeout | undefined;
  /**
   * How long the next answer is waited for. A new connection has what waited asked once more, so for an end that is only slow
   * it is made less and less often.
   */
  private patienceMs: number;

  constructor(
    context: string,
    private readonly connection: WatchedConnection,
  ) {
    this.logger = new Log(context);
    this.patienceMs = connection.silenceMs;
  }

  start(): void {
    this.isWatching = true;
    this.lookLater();
  }

  stop(): void {
    this.isWatching = false;
    clearTimeout(this.timer);
  }

  /** Logs a change, not each of the many errors while the connection is away. */
  report(available: boolean, message: string, error?: unknown): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'info' : 'warn'](`${this.connection.name} ${message}`, { error });
  }

  private lookLater(): void {
    if (this.isWatching) this.timer = setTimeout(() => void this.look(), this.connection.silenceMs);
  }

  private async look(): Promise<void> {
    try {
      const asked = this.connection.current();
      if (asked !== undefined) await this.expectAnswer(asked);
    } finally {
      this.lookLater();
    }
  }

  private async expectAnswer(asked: unknown): Promise<void> {
    const { silenceMs, current, ping, renew } = this.connection;
    const askedAt = performance.now();
    const answer = ping().catch(() => undefined); // An error is an answer as well.
    try {
      await withDeadline(answer, this.patienceMs);
      if (performance.now() - askedAt < silenceMs) this.patienceMs = silenceMs;
    } catch {
      if (current() !== asked) return;
      this.report(false, 'does not answer');
      this.patienceMs = Math.min(this.patienceMs * 2, silenceMs * MAX_PATIENCE);
      renew();
    }
  }
}

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

/** Looks after a connection as long as the process lives: has it made anew when it is silent, and logs when it goes and comes. */
export class ConnectionWatch {
  private readonly logger: Log;
  private available = true;
  private timer: NodeJS.Timeout | undefined;

  constructor(
    context: string,
    private readonly connection: WatchedConnection,
  ) {
    this.logger = new Log(context);
  }

  start(): void {
    this.timer = setInterval(() => void this.look(), this.connection.silenceMs);
  }

  stop(): void {
    clearInterval(this.timer);
  }

  /** Logs a change, not each of the many errors while the connection is away. */
  report(available: boolean, message: string, error?: unknown): void {
    if (available === this.available) return;
    this.available = available;
    this.logger[available ? 'info' : 'warn'](`${this.connection.name} ${message}`, { error });
  }

  private async look(): Promise<void> {
    const { silenceMs, current, ping, renew } = this.connection;
    const asked = current();
    if (asked === undefined) return;
    const answer = ping().catch(() => undefined); // An error is an answer as well.
    await withDeadline(answer, silenceMs).catch(() => {
      if (current() !== asked) return;
      this.report(false, 'does not answer');
      renew();
    });
  }
}

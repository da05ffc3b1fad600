import { type BeforeApplicationShutdown, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from './log.js';

/** While a task keeps failing, because PostgreSQL is away for instance, it is told of once in this time. */
const WARN_INTERVAL_MS = 60_000;

/**
 * Base class for background work: calls `run` again and again, `intervalMs` after the end of the run before, give or take a
 * fifth, for the first time one interval after the start, until the process stops. It runs in every process that provides it at
 * once, so `run` must be safe beside itself.
 */
export abstract class PeriodicTask implements OnApplicationBootstrap, BeforeApplicationShutdown {
  protected readonly logger = new Log(this.constructor.name);
  /** Aborted when the process stops. */
  protected readonly stopping = new AbortController();
  private timer: NodeJS.Timeout | undefined;
  private warnedAt = -Infinity;
  private running: Promise<void> | undefined;

  /** Does all there is to do, and returns how much it was, for `report`. It stops early when `stopped`. */
  abstract run(): Promise<number>;

  protected get stopped(): boolean {
    return this.stopping.signal.aborted;
  }

  protected abstract readonly intervalMs: number;

  /** Repeats `step` until it has less to do than `size`, or the process stops; returns how much it was. */
  protected async inBatches(size: number, step: () => Promise<number>): Promise<number> {
    let done = 0;
    for (;;) {
      const count = await step();
      done += count;
      if (count < size || this.stopped) return done;
    }
  }

  /** Told when there was something to do; most of what is done all the time is not worth a word. */
  protected report?(count: number): void;

  async onApplicationBootstrap(): Promise<void> {
    this.schedule();
  }

  /** Lets the run that is under way end with its batch. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    await this.running;
  }

  /** Up to a fifth earlier or later, so that several workers do not run at once. */
  private schedule(): void {
    this.timer = setTimeout(
      () => {
        this.running = this.tick();
      },
      this.intervalMs * (0.8 + Math.random() * 0.4),
    );
  }

  private async tick(): Promise<void> {
    await this.runOnce();
    if (!this.stopped) this.schedule();
  }

  /** Runs now, perhaps beside a timed run; a stop does not wait for it. Never rejects. */
  protected async runOnce(): Promise<void> {
    try {
      const count = await this.run();
      this.warnedAt = -Infinity;
      if (count > 0) this.report?.(count);
    } catch (error) {
      if (this.stopped || performance.now() - this.warnedAt < WARN_INTERVAL_MS) return;
      this.warnedAt = performance.now();
      this.logger.warn('A periodic task failed and will be run again', { error });
    }
  }
}

import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';

/** Something that is looked for again and again in the background, as long as the process lives. */
export abstract class PeriodicTask implements OnApplicationBootstrap, BeforeApplicationShutdown {
  protected readonly logger = new Logger(this.constructor.name);
  protected stopped = false;
  private timer: NodeJS.Timeout | undefined;
  private sweeping: Promise<void> | undefined;

  /** Does all there is to do, and returns how much it was. It stops early when `stopped`. */
  abstract run(): Promise<number>;

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

  onApplicationBootstrap(): void {
    this.schedule();
  }

  /** Lets the run that is under way end with its batch. */
  async beforeApplicationShutdown(): Promise<void> {
    this.stopped = true;
    clearTimeout(this.timer);
    await this.sweeping;
  }

  /** Up to a fifth earlier or later, so that several workers do not sweep at once. */
  private schedule(): void {
    this.timer = setTimeout(
      () => {
        this.sweeping = this.sweep();
      },
      this.intervalMs * (0.8 + Math.random() * 0.4),
    );
  }

  private async sweep(): Promise<void> {
    try {
      const count = await this.run();
      if (count > 0) this.report?.(count);
    } catch (error) {
      if (!this.stopped) this.logger.warn(`It failed and will be run again: ${String(error)}`);
    }
    if (!this.stopped) this.schedule();
  }
}

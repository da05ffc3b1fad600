import { InjectQueue } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Injectable, Logger } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { HAND_OVER_QUEUE, handOverJob, ORDERS_QUEUE, processOrderJob } from '../queue/order-jobs.js';

/** A worker makes a job of each in one round trip; more would keep Redis from everybody else for longer. */
const BATCH_SIZE = 500;
/** While Redis is away; what does not fit is left to the sweep. */
const MAX_WAITING = 10_000;

/**
 * Hands committed orders over to the worker, in the background and in bulk: a lone order as its job, those that were sold
 * while Redis took the last ones as one job, of which the worker makes theirs. It only ever gives a hint: an order whose
 * hint is lost, because Redis is away, the buffer is full or the process dies, is found by the sweep.
 */
@Injectable()
export class OrderDispatcher implements BeforeApplicationShutdown {
  private readonly logger = new Logger(OrderDispatcher.name);
  private waiting: number[] = [];
  private flushing: Promise<void> | undefined;

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    @InjectQueue(HAND_OVER_QUEUE) private readonly handOvers: Queue,
    private readonly config: Config,
  ) {}

  /** Returns at once and never throws. */
  dispatch(orderId: number): void {
    if (this.waiting.length >= MAX_WAITING) return;
    this.waiting.push(orderId);
    this.flushing ??= this.flush().finally(() => (this.flushing = undefined));
  }

  /** Hands over what still waits, as far as Redis takes it in time. */
  async beforeApplicationShutdown(): Promise<void> {
    if (this.flushing === undefined) return;
    await withDeadline(this.flushing, this.config.shutdownTimeoutMs / 2).catch(() =>
      this.logger.warn(`${this.waiting.length} orders are left to the sweep`),
    );
  }

  /** While Redis is away `add` waits for it, and the orders that come in meanwhile gather up to the bound. */
  private async flush(): Promise<void> {
    while (this.waiting.length > 0) {
      const batch = this.waiting.splice(0, BATCH_SIZE);
      try {
        await this.handOver(batch);
      } catch (error) {
        this.logger.warn(`${batch.length} orders are left to the sweep: ${String(error)}`);
      }
    }
  }

  private async handOver(batch: readonly number[]): Promise<void> {
    const [first] = batch;
    if (first === undefined) return;
    const { name, data, opts } = batch.length === 1 ? processOrderJob(first, this.config.orders) : handOverJob(batch);
    await (batch.length === 1 ? this.orders : this.handOvers).add(name, data, opts);
  }
}

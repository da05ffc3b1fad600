import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, Logger, type OnApplicationShutdown } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Batcher } from '../common/batcher.js';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { HAND_OVER_QUEUE, handOverJob, type NewJob, ORDERS_QUEUE, processOrderJob } from '../queue/order-jobs.js';

/**
 * A busy worker makes a job of each in one round trip; more would keep Redis from everybody else for longer. While Redis is
 * away orders wait up to the bound, and the rest is left to the sweep.
 */
const BATCHING = { maxBatchSize: 500, maxInFlight: 1, maxWaiting: 10_000, maxWaitMs: Infinity };

/**
 * Hands committed orders over to the worker, in the background and in bulk: a lone order as its job, those that were sold
 * while Redis took the last ones as one job. It only ever gives a hint: an order whose hint is lost, because Redis is away,
 * the buffer is full or the process dies, is found by the sweep.
 */
@Injectable()
export class OrderDispatcher implements OnApplicationShutdown {
  private readonly logger = new Logger(OrderDispatcher.name);
  private readonly batcher = new Batcher<number, void>((ids) => this.handOver(ids), BATCHING);

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    @InjectQueue(HAND_OVER_QUEUE) private readonly handOvers: Queue,
    private readonly config: Config,
  ) {}

  /** Returns at once and never throws. */
  dispatch(orderId: number): void {
    this.batcher.submit(orderId).catch((error: unknown) => this.logger.debug(`Order #${orderId}: ${String(error)}`));
  }

  /** Hands over what still waits, as far as Redis takes it in time: when the last request is answered, and before the queues close. */
  async onApplicationShutdown(): Promise<void> {
    await withDeadline(this.batcher.idle(), this.config.shutdownTimeoutMs / 2).catch(() =>
      this.logger.warn('Orders are left to the sweep: Redis does not take them'),
    );
  }

  private async handOver(orderIds: readonly number[]): Promise<PromiseSettledResult<void>[]> {
    const [first, ...others] = orderIds;
    try {
      if (others.length > 0) await add(this.handOvers, handOverJob(orderIds));
      else if (first !== undefined) await add(this.orders, processOrderJob(first, this.config.orders));
    } catch (error) {
      this.logger.warn(`${orderIds.length} orders are left to the sweep: ${String(error)}`);
    }
    return orderIds.map(() => ({ status: 'fulfilled', value: undefined }));
  }
}

/** Not `addBulk`, whose transaction takes 0.2 ms more of the processor (docs/decisions/0006-hand-over.md). */
async function add(queue: Queue, { name, data, opts }: NewJob<unknown>): Promise<void> {
  await queue.add(name, data, opts);
}

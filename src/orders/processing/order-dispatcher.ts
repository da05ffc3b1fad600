import { setTimeout as delay } from 'node:timers/promises';
import { InjectQueue } from '@nestjs/bullmq';
import { Injectable, type OnApplicationShutdown } from '@nestjs/common';
import { Log } from '../../runtime/log.js';
import type { Queue } from 'bullmq';
import { fulfilled, type Outcome } from '../../kernel/outcome.js';
import { Batcher } from '../../runtime/batching/batcher.js';
import { currentTraceparent } from '../../telemetry/tracing.js';
import { withDeadline } from '../../runtime/deadline.js';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import {
  DISPATCH_QUEUE,
  dispatchJob,
  MAX_ORDERS_PER_DISPATCH,
  type NewJob,
  ORDERS_QUEUE,
  processOrderJob,
} from './order-jobs.js';

/**
 * More at once would keep Redis from everybody else for longer, when a worker makes a job of each in one round trip. While Redis
 * is away orders wait up to the bound, and the rest is left to the sweep.
 */
const BATCHING = () => ({
  maxBatchSize: MAX_ORDERS_PER_DISPATCH,
  maxInFlight: 1,
  maxWaiting: LIMITS.dispatchesWaiting,
  maxWaitMs: Infinity,
});

/** From one dispatch to the next at least; an order that comes after a pause is dispatched at once. */
const PAUSE_MS = 5;

interface SoldOrder {
  readonly id: number;
  /** On the clock of `performance.now()`, in ms. */
  readonly soldAt: number;
  readonly traceparent: string | undefined;
}

/**
 * Dispatches committed orders to the worker, in the background and in bulk: a lone order as a job of its own, orders that
 * were sold while Redis took the last ones as one job. When they have waited so long that the sweep may come upon them, each gets a
 * job of its own, whose id keeps a second one out. It only ever gives a hint: an order whose hint is lost, because Redis is
 * away, the buffer is full or the process dies, is found by the sweep.
 */
@Injectable()
export class OrderDispatcher implements OnApplicationShutdown {
  private readonly logger = new Log(OrderDispatcher.name);
  private readonly batcher = new Batcher<SoldOrder, void>((sold) => this.dispatchBatch(sold), BATCHING());

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    @InjectQueue(DISPATCH_QUEUE) private readonly dispatches: Queue,
    private readonly config: Config,
  ) {}

  /** Returns at once and never throws. */
  dispatch(orderId: number): void {
    const sold = { id: orderId, soldAt: performance.now(), traceparent: currentTraceparent() };
    this.batcher
      .submit(sold)
      .catch((error: unknown) => this.logger.debug('An order is left to the sweep', { order_id: orderId, error }));
  }

  /** Dispatches what still waits, as far as Redis takes it in time: when the last request is answered, and before the queues close. */
  async onApplicationShutdown(): Promise<void> {
    await withDeadline(this.batcher.idle(), this.config.shutdownTimeoutMs / 2).catch(() =>
      this.logger.warn('Orders are left to the sweep: Redis does not take them'),
    );
  }

  private async dispatchBatch(sold: readonly SoldOrder[]): Promise<Outcome<void>[]> {
    // Meanwhile the next ones gather: a job of many costs as much as one of a few, here, in Redis and in the worker.
    const pause = delay(PAUSE_MS);
    try {
      if (sold.length > 1 && !this.areLate(sold)) await this.addTogether(sold);
      else await this.addEach(sold);
    } catch (error) {
      this.logger.warn('Orders are left to the sweep', { count: sold.length, error });
    }
    await pause;
    return sold.map(() => fulfilled(undefined));
  }

  private areLate([first]: readonly SoldOrder[]): boolean {
    return performance.now() - (first?.soldAt ?? 0) >= this.config.orders.sweepAfterMs / 2;
  }

  private async addTogether(sold: readonly SoldOrder[]): Promise<void> {
    const traced = sold.flatMap(({ id, traceparent }) =>
      traceparent === undefined ? [] : [[id, traceparent] as const],
    );
    await add(
      this.dispatches,
      dispatchJob(
        sold.map(({ id }) => id),
        Object.fromEntries(traced),
      ),
    );
  }

  private async addEach(sold: readonly SoldOrder[]): Promise<void> {
    const jobs = sold.map(({ id, traceparent }) => processOrderJob(id, this.config.orders, traceparent));
    const [first, ...others] = jobs;
    if (others.length > 0) await this.orders.addBulk(jobs);
    else if (first !== undefined) await add(this.orders, first);
  }
}

/** Not `addBulk`, whose transaction takes 0.2 ms more of the processor (docs/decisions/0006-hand-over.md). */
async function add(queue: Queue, { name, data, opts }: NewJob<unknown>): Promise<void> {
  await queue.add(name, data, opts);
}

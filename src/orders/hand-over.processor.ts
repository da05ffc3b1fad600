import { InjectQueue, OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job, Queue } from 'bullmq';
import pLimit, { type LimitFunction } from 'p-limit';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { JobProcessor } from '../queue/job-processor.js';
import {
  HAND_OVER_QUEUE,
  type HandOverPayload,
  type NewJob,
  ORDERS_QUEUE,
  processOrderJob,
  type ProcessOrderPayload,
  retryOrderJob,
} from '../queue/order-jobs.js';
import { PermanentFulfilmentError } from './fulfilment-gateway.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderProcessor } from './order.processor.js';

/** An order that is not begun by then gets a job of its own, which any worker may take. */
const PATIENCE_MS = 200;

/** Jobs whose orders are worked on at once. As many others still get through to make jobs while the calls of these are slow. */
const MAX_TURNS = 4;

/**
 * Works on orders that were handed over together as far as slots are free, and makes a job of each that finds none in time
 * or fails. Delivered again, because its worker died, it makes a job of each: one that is there already is left as it
 * is, and one whose order has ended does nothing.
 */
@Processor(HAND_OVER_QUEUE, {
  autorun: false,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 5,
  concurrency: 2 * MAX_TURNS,
})
export class HandOverProcessor extends JobProcessor {
  private readonly turns = pLimit(MAX_TURNS);
  /** All slots but one, which the queue of single orders keeps. */
  private readonly lanes: LimitFunction;

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    private readonly fulfilment: OrderFulfilmentService,
    private readonly processor: OrderProcessor,
    config: Config,
  ) {
    super(config);
    this.lanes = pLimit(Math.max(config.worker.concurrency - 1, 1));
  }

  protected async work({ data, attemptsStarted }: Job<HandOverPayload>, signal: AbortSignal): Promise<void> {
    const left = new Set(data.orderIds);
    let underWay = 0;
    const attempt = async (orderId: number) => {
      if (!left.delete(orderId)) return;
      underWay++;
      await this.attempt(orderId, signal).finally(() => underWay--);
    };
    let begun: Promise<unknown> | undefined;
    if (attemptsStarted === 1) {
      const begin = (orderId: number) => this.lanes(() => this.fulfilment.slots(attempt, orderId));
      const turn = this.turns(() => (begun = Promise.all(data.orderIds.map(begin))));
      await withDeadline(turn, PATIENCE_MS).catch(() => undefined);
    }
    const slow = underWay;
    const rest = [...left];
    left.clear();
    this.processor.leaveOut(slow);
    try {
      await this.addJobs(rest.map((orderId) => processOrderJob(orderId, this.config.orders)));
      await begun;
    } finally {
      this.processor.leaveOut(-slow);
    }
  }

  /** Makes the first attempt for an order that nobody has begun, and leaves those after it to a job of its own. */
  private async attempt(orderId: number, signal: AbortSignal): Promise<void> {
    const isLast = this.config.orders.attempts === 1;
    try {
      await this.fulfilment.process(orderId, { attempt: 1, isFirst: true, isLast, signal });
    } catch (error) {
      this.logger.warn(`order-${orderId} failed, attempt 1: ${String(error)}`);
      if (signal.aborted) await this.addJobs([processOrderJob(orderId, this.config.orders)]);
      else if (!isLast && !(error instanceof PermanentFulfilmentError)) {
        await this.addJobs([retryOrderJob(orderId, this.config.orders)]);
      }
    }
  }

  private async addJobs(jobs: NewJob<ProcessOrderPayload>[]): Promise<void> {
    if (jobs.length > 0) await this.orders.addBulk(jobs);
  }

  @OnWorkerEvent('failed')
  override onFailed(job: Job<HandOverPayload> | undefined, error: Error): void {
    this.logger.warn(`${job?.data.orderIds.length ?? 'Some'} orders are left to the sweep: ${error.message}`);
  }
}

import { InjectQueue, OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job, Queue } from 'bullmq';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import { JobProcessor } from '../../queue/job-processor.js';
import {
  DISPATCH_QUEUE,
  KEPT_COMPLETED,
  type NewJob,
  orderIdsOf,
  ORDERS_QUEUE,
  processOrderJob,
  type ProcessOrderPayload,
  retryOrderJob,
  traceOf,
} from './order-jobs.js';
import { isPermanent } from './fulfilment-gateway.js';
import { type Attempt, OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderSlots } from './slots/order-slots.js';

/** Jobs that may have orders waiting for a slot here. */
const MAX_WAITING = 8;

/**
 * Works on orders that were dispatched together as far as slots are free, and makes a job of each that finds none in time
 * or fails. Delivered again, because its worker died, it makes a job of each: one that is there already is left as it
 * is, and one whose order has ended does nothing.
 */
@Processor(DISPATCH_QUEUE, {
  autorun: false,
  // Only for jobs without an option of their own, which somebody else has added.
  removeOnComplete: { count: KEPT_COMPLETED },
  lockDuration: LIMITS.jobLockMs,
  stalledInterval: LIMITS.stalledCheckMs,
  maxStalledCount: LIMITS.stalls,
  concurrency: MAX_WAITING,
})
export class DispatchProcessor extends JobProcessor {
  private doneWaiting = 0;

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    private readonly fulfilment: OrderFulfilmentService,
    private readonly slots: OrderSlots,
    config: Config,
  ) {
    super(config);
  }

  protected async work(job: Job<unknown>, signal: AbortSignal): Promise<void> {
    const orderIds = [...new Set(orderIdsOf(job.data))];
    if (orderIds.length === 0) {
      this.ignore(job);
      return;
    }
    const begun: Promise<void>[] = [];
    if (job.attemptsStarted === 1 && this.config.worker.concurrency > 1)
      await this.beginAll(orderIds, begun, { job, signal });
    this.takeInstead(1);
    try {
      const rest = orderIds.slice(begun.length);
      await this.addJobs(rest.map((orderId) => processOrderJob(orderId, this.config.orders)));
    } finally {
      await Promise.all(begun);
      this.takeInstead(-1);
    }
  }

  /** Makes the attempts for orders from the first on, until all have `begun` or the next one has waited too long for a slot. */
  private async beginAll(
    orderIds: readonly number[],
    begun: Promise<void>[],
    { job, signal }: { job: Job<unknown>; signal: AbortSignal },
  ): Promise<void> {
    const deadline = performance.now() + LIMITS.slotPatienceMs;
    while (begun.length < orderIds.length && performance.now() < deadline) {
      const wanted = orderIds.length - begun.length;
      const slots = await this.slots.takeDispatched(wanted, Math.max(deadline - performance.now(), 1));
      if (slots === 0) return;
      if (signal.aborted) {
        this.slots.giveBackDispatched(slots);
        return;
      }
      for (const orderId of orderIds.slice(begun.length, begun.length + slots))
        begun.push(this.attempt(orderId, { signal, trace: traceOf(job.data, orderId) }));
    }
  }

  /** Makes the first attempt for a pending order, and leaves later attempts to a job of its own. Never rejects. */
  private async attempt(orderId: number, { signal, trace }: Pick<Attempt, 'signal' | 'trace'>): Promise<void> {
    const { orders } = this.config;
    const isLast = orders.attempts === 1;
    try {
      await this.fulfilment.process(orderId, { onlyIfPending: true, isLast, signal, trace });
    } catch (error) {
      this.logger.warn('An attempt failed', { order_id: orderId, attempt: 1, error });
      const isOver = isLast || isPermanent(error);
      if (signal.aborted) await this.leave(processOrderJob(orderId, orders));
      else if (!isOver) await this.leave(retryOrderJob(orderId, orders));
    } finally {
      this.slots.giveBackDispatched(1);
    }
  }

  /** A job whose orders have all begun, or have jobs of their own, leaves its place to another one. */
  private takeInstead(jobs: number): void {
    this.doneWaiting += jobs;
    this.takeAtMost(MAX_WAITING + this.doneWaiting);
  }

  private async leave(job: NewJob<ProcessOrderPayload>): Promise<void> {
    await this.addJobs([job]).catch((error: unknown) =>
      this.logger.warn('An order is left to the sweep', { job_id: job.opts.jobId, error }),
    );
  }

  private async addJobs(jobs: NewJob<ProcessOrderPayload>[]): Promise<void> {
    if (jobs.length > 0) await this.orders.addBulk(jobs);
  }

  @OnWorkerEvent('failed')
  override onFailed(job: Job<unknown> | undefined, error: Error): void {
    this.logger.warn('Orders are left to the sweep', { job_id: job?.id, count: orderIdsOf(job?.data).length, error });
  }
}

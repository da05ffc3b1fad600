import { OnWorkerEvent, Processor } from '@nestjs/bullmq';
import { type Job, UnrecoverableError } from 'bullmq';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import { JobProcessor } from '../../queue/job-processor.js';
import { isStalledTooOften } from '../dead-letters/dead-letters.service.js';
import { backoffOf, KEPT_COMPLETED, orderIdOf, ORDERS_QUEUE, traceOf } from './order-jobs.js';
import { textOf } from '../../runtime/error-text.js';
import { isPermanent } from './fulfilment-gateway.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderSlots } from './slots/order-slots.js';
import { WorkerRegistry } from '../../workers/worker-registry.js';

/** How long a job waits, at least, before it asks again whether it may be worked on: the worker tries another order alone. */
const POSTPONED_MS = 1_000;

/**
 * Takes jobs from the queue. BullMQ gives the job of a worker that died to another one when its lock has run out (10 s) and two checks
 * for stalled jobs have passed (5 s each): the first marks the job, the second moves it. A job that has lost its worker twice is a
 * suspect, for its order may have ended the worker. A suspect is tried alone: if it ends the worker again, no other order is hit.
 */
@Processor(ORDERS_QUEUE, {
  autorun: false,
  // Only for jobs without an option of their own, which somebody else has added.
  removeOnComplete: { count: KEPT_COMPLETED },
  lockDuration: LIMITS.jobLockMs,
  stalledInterval: LIMITS.stalledCheckMs,
  maxStalledCount: LIMITS.stalls,
  settings: { backoffStrategy: backoffOf },
})
export class OrderProcessor extends JobProcessor {
  constructor(
    private readonly fulfilment: OrderFulfilmentService,
    private readonly slots: OrderSlots,
    private readonly registry: WorkerRegistry,
    config: Config,
  ) {
    super(config);
  }

  override onApplicationBootstrap(): void {
    this.registry.reportInFlight(() => this.slots.inFlight);
    this.slots.onChange((free) => this.takeAtMost(free));
    super.onApplicationBootstrap();
  }

  protected async work(job: Job<unknown>, signal: AbortSignal): Promise<void> {
    const orderId = orderIdOf(job.data);
    if (orderId === undefined) {
      this.ignore(job);
      return;
    }
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    const attempt = async () => {
      signal.throwIfAborted();
      await this.fulfilment
        .process(orderId, { isLast, signal, trace: traceOf(job.data, orderId) })
        .catch((error: unknown) => {
          throw isPermanent(error) ? new UnrecoverableError(textOf(error)) : error;
        });
    };
    const isSuspect = job.stalledCounter >= LIMITS.stallsTogether;
    if (this.slots.isReserved) await this.postpone(job, POSTPONED_MS * (1 + Math.random()));
    await (isSuspect ? this.slots.runAlone(attempt) : this.slots.run(attempt));
  }

  /** A job that has failed for good has an order that has failed as well, or is a dead letter. */
  @OnWorkerEvent('failed')
  override onFailed(job: Job<unknown> | undefined, error: Error): void {
    const orderId = orderIdOf(job?.data);
    if (orderId === undefined || !isStalledTooOften(error.message)) super.onFailed(job, error);
    else
      this.logger.error(
        'The order is a dead letter: its workers died while they worked on it, at the end on no other order. ' +
          'It stays open until somebody runs the command --redrive or cancels it',
        { order_id: orderId, attempt: LIMITS.stalls + 1 },
      );
  }
}

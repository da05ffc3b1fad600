import { Processor } from '@nestjs/bullmq';
import { type Job, UnrecoverableError } from 'bullmq';
import { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import { JobProcessor } from '../../queue/job-processor.js';
import { attemptOf, backoffOf, KEPT_COMPLETED, orderIdOf, ORDERS_QUEUE } from './order-jobs.js';
import { textOf } from '../../runtime/error-text.js';
import { isPermanent } from './fulfilment-gateway.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';
import { OrderSlots } from './order-slots.js';

/**
 * Takes jobs from the queue. BullMQ gives the job of a worker that died to another one when its lock has run out (10 s) and two checks
 * for stalled jobs have passed (5 s each): the first marks the job, the second moves it.
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
    config: Config,
  ) {
    super(config);
  }

  override onApplicationBootstrap(): void {
    this.takeAtMost(this.slots.size);
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
    try {
      await this.slots.run(async () => {
        signal.throwIfAborted();
        await this.fulfilment.process(orderId, { attempt: attemptOf(job), isLast, signal });
      });
    } catch (error) {
      if (isPermanent(error)) throw new UnrecoverableError(textOf(error));
      throw error;
    }
  }
}

import { Processor } from '@nestjs/bullmq';
import { type Job, UnrecoverableError } from 'bullmq';
import { Config } from '../config/config.js';
import { JobProcessor } from '../queue/job-processor.js';
import { attemptOf, backoffOf, ORDERS_QUEUE, type ProcessOrderPayload } from '../queue/order-jobs.js';
import { PermanentFulfilmentError } from './fulfilment-gateway.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';

/**
 * Takes jobs from the queue. A job whose worker died is given to another one when its lock has run out and the next
 * check for stalled jobs has passed, together at most 20 s.
 */
@Processor(ORDERS_QUEUE, {
  autorun: false,
  lockDuration: 10_000,
  stalledInterval: 5_000,
  maxStalledCount: 5,
  settings: { backoffStrategy: backoffOf },
})
export class OrderProcessor extends JobProcessor {
  constructor(
    private readonly fulfilment: OrderFulfilmentService,
    config: Config,
  ) {
    super(config);
  }

  override onApplicationBootstrap(): void {
    this.worker.concurrency = this.config.worker.concurrency;
    super.onApplicationBootstrap();
  }

  protected async work(job: Job<ProcessOrderPayload>, signal: AbortSignal): Promise<void> {
    const isLast = job.attemptsMade + 1 >= (job.opts.attempts ?? 1);
    try {
      await this.fulfilment.slots(async () => {
        signal.throwIfAborted();
        await this.fulfilment.process(job.data.orderId, { attempt: attemptOf(job), isLast, signal });
      });
    } catch (error) {
      if (error instanceof PermanentFulfilmentError) throw new UnrecoverableError(error.message);
      throw error;
    }
  }
}

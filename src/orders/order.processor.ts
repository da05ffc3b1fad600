import { OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job } from 'bullmq';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { ORDERS_QUEUE, type ProcessOrderPayload } from '../queue/order-jobs.js';
import { OrderFulfilmentService } from './order-fulfilment.service.js';

/**
 * Takes jobs from the queue. A job whose worker died is given to another one when its lock has run out and the next
 * check for stalled jobs has passed, together at most 20 s.
 */
@Processor(ORDERS_QUEUE, { autorun: false, lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 5 })
export class OrderProcessor extends WorkerHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(OrderProcessor.name);

  constructor(
    private readonly fulfilment: OrderFulfilmentService,
    private readonly config: Config,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.worker.concurrency = this.config.worker.concurrency;
    this.worker.run().catch((error: unknown) => this.logger.error(`The worker stopped: ${String(error)}`));
  }

  async process(job: Job<ProcessOrderPayload>): Promise<void> {
    const attempt = job.attemptsMade + 1;
    await this.fulfilment.process(job.data.orderId, { attempt, isLast: attempt >= (job.opts.attempts ?? 1) });
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<ProcessOrderPayload> | undefined, error: Error): void {
    this.logger.warn(`${job?.id ?? 'A job'} failed, attempt ${job?.attemptsMade ?? '?'}: ${error.message}`);
  }

  /** Without a listener an error of the connection would end the process. The connection itself logs. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug(error.message);
  }

  /** Takes no new job and lets the running ones end, while PostgreSQL and Redis are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await withDeadline(this.worker.close(), this.config.shutdownTimeoutMs).catch(() =>
      this.logger.warn('Jobs were still running at the deadline; another worker takes them when their locks run out'),
    );
  }
}

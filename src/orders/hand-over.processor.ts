import { InjectQueue, OnWorkerEvent, Processor } from '@nestjs/bullmq';
import type { Job, Queue } from 'bullmq';
import { Config } from '../config/config.js';
import { JobProcessor } from '../queue/job-processor.js';
import { HAND_OVER_QUEUE, type HandOverPayload, ORDERS_QUEUE, processOrderJob } from '../queue/order-jobs.js';

/** Makes a job of each order that was handed over with others; one that has its job already is left as it is. */
@Processor(HAND_OVER_QUEUE, { autorun: false, lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 5 })
export class HandOverProcessor extends JobProcessor {
  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    config: Config,
  ) {
    super(config);
  }

  protected async work({ data }: Job<HandOverPayload>): Promise<void> {
    await this.orders.addBulk(data.orderIds.map((orderId) => processOrderJob(orderId, this.config.orders)));
  }

  @OnWorkerEvent('failed')
  override onFailed(job: Job<HandOverPayload> | undefined, error: Error): void {
    this.logger.warn(`${job?.data.orderIds.length ?? 'Some'} orders are left to the sweep: ${error.message}`);
  }
}

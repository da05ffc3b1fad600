import { InjectQueue, OnWorkerEvent, Processor, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job, Queue } from 'bullmq';
import { withDeadline } from '../common/deadline.js';
import { Config } from '../config/config.js';
import { HAND_OVER_QUEUE, type HandOverPayload, ORDERS_QUEUE, processOrderJob } from '../queue/order-jobs.js';

/** Makes a job of each order that was handed over with others; one that has its job already is left as it is. */
@Processor(HAND_OVER_QUEUE, { autorun: false, lockDuration: 10_000, stalledInterval: 5_000, maxStalledCount: 5 })
export class HandOverProcessor extends WorkerHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  private readonly logger = new Logger(HandOverProcessor.name);

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue,
    private readonly config: Config,
  ) {
    super();
  }

  onApplicationBootstrap(): void {
    this.worker.run().catch((error: unknown) => this.logger.error(`The hand-over stopped: ${String(error)}`));
  }

  async process({ data }: Job<HandOverPayload>): Promise<void> {
    await this.orders.addBulk(data.orderIds.map((orderId) => processOrderJob(orderId, this.config.orders)));
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job<HandOverPayload> | undefined, error: Error): void {
    this.logger.warn(`${job?.data.orderIds.length ?? 'Some'} orders are left to the sweep: ${error.message}`);
  }

  /** Without a listener an error of the connection would end the process. The connection itself logs. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug(error.message);
  }

  async beforeApplicationShutdown(): Promise<void> {
    await withDeadline(this.worker.close(), this.config.shutdownTimeoutMs / 2).catch(() =>
      this.logger.warn('A hand-over was still running at the deadline; another worker takes it when its lock runs out'),
    );
  }
}

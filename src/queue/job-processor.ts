import { OnWorkerEvent, WorkerHost } from '@nestjs/bullmq';
import { type BeforeApplicationShutdown, Logger, type OnApplicationBootstrap } from '@nestjs/common';
import type { Job } from 'bullmq';
import { withDeadline } from '../common/deadline.js';
import type { Config } from '../config/config.js';

/** The life of a processor: it takes jobs when the process is up, and lets the running ones end when it stops. */
export abstract class JobProcessor extends WorkerHost implements OnApplicationBootstrap, BeforeApplicationShutdown {
  protected readonly logger = new Logger(this.constructor.name);

  constructor(protected readonly config: Config) {
    super();
  }

  onApplicationBootstrap(): void {
    this.worker.run().catch((error: unknown) => this.logger.error(`The worker stopped: ${String(error)}`));
  }

  /** Takes no new job and lets the running ones end, while PostgreSQL and Redis are still there. */
  async beforeApplicationShutdown(): Promise<void> {
    await withDeadline(this.worker.close(), this.config.shutdownTimeoutMs).catch(() =>
      this.logger.warn('Jobs were still running at the deadline; another worker takes them when their locks run out'),
    );
  }

  @OnWorkerEvent('failed')
  onFailed(job: Job | undefined, error: Error): void {
    this.logger.warn(`${job?.id ?? 'A job'} failed, attempt ${job?.attemptsMade ?? '?'}: ${error.message}`);
  }

  /** Without a listener an error of the connection would end the process. The connection itself logs. */
  @OnWorkerEvent('error')
  onError(error: Error): void {
    this.logger.debug(error.message);
  }
}

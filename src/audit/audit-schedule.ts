import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { AUDIT_QUEUE, NIGHTLY_AUDIT } from './audit-jobs.js';

/** Sees to it that there is a nightly audit, also after Redis was wiped. All workers ask for it, and BullMQ knows it by its name. */
@Injectable()
export class AuditSchedule extends PeriodicTask {
  protected readonly intervalMs = 600_000;

  constructor(@InjectQueue(AUDIT_QUEUE) private readonly queue: Queue) {
    super();
  }

  /** Redis may be away: then it is asked when it is back. */
  override async onApplicationBootstrap(): Promise<void> {
    await super.onApplicationBootstrap();
    this.run().catch((error: unknown) => this.logger.warn('The nightly audit was not scheduled', { error }));
  }

  async run(): Promise<number> {
    await this.queue.upsertJobScheduler(NIGHTLY_AUDIT.id, NIGHTLY_AUDIT.repeat, NIGHTLY_AUDIT.template);
    return 0;
  }
}

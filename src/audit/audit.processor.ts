import { InjectQueue, Processor } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { Config } from '../config/config.js';
import { JobProcessor } from '../queue/job-processor.js';
import { AUDIT_QUEUE, NIGHTLY_AUDIT } from '../queue/audit-jobs.js';
import { AuditService } from './audit.service.js';

/** Audits every night. All workers ask for the schedule, which is one: BullMQ knows it by its name. */
@Processor(AUDIT_QUEUE, { autorun: false, lockDuration: 60_000 })
export class AuditProcessor extends JobProcessor {
  constructor(
    @InjectQueue(AUDIT_QUEUE) private readonly queue: Queue,
    private readonly audits: AuditService,
    config: Config,
  ) {
    super(config);
  }

  /** Redis may be away: then the schedule is asked for when it is back. */
  override onApplicationBootstrap(): void {
    super.onApplicationBootstrap();
    this.queue
      .upsertJobScheduler(NIGHTLY_AUDIT.id, NIGHTLY_AUDIT.repeat, NIGHTLY_AUDIT.template)
      .catch((error: unknown) => this.logger.warn(`The nightly audit was not scheduled: ${String(error)}`));
  }

  async process(): Promise<void> {
    await this.audits.run();
  }
}

import { Processor } from '@nestjs/bullmq';
import { Config } from '../config/config.js';
import { AUDIT_QUEUE } from './audit-jobs.js';
import { JobProcessor } from '../queue/job-processor.js';
import { AuditService } from './audit.service.js';

/** Audits every night. An audit that runs when the worker stops is given up, and made by another one. */
@Processor(AUDIT_QUEUE, { autorun: false, lockDuration: 60_000 })
export class AuditProcessor extends JobProcessor {
  constructor(
    private readonly audits: AuditService,
    config: Config,
  ) {
    super(config);
  }

  override onModuleDestroy(): void {
    super.onModuleDestroy();
    this.audits.cancel().catch((error: unknown) => this.logger.debug('The audit could not be cancelled', { error }));
  }

  protected async work(): Promise<void> {
    await this.audits.run();
  }
}

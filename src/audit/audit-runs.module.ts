import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { QueueModule } from '../queue/queue.module.js';
import { AUDIT_QUEUE } from './audit-jobs.js';
import { AuditController } from './audit.controller.js';
import { AuditModule } from './audit.module.js';
import { AuditRequestService } from './audit-request.service.js';
import { AuditRunsController } from './audit-runs.controller.js';

/** The audits for clients, of whom operators may ask a worker for another one. */
@Module({
  imports: [AuditModule, IdempotencyModule, QueueModule.forFeature(AUDIT_QUEUE)],
  controllers: [AuditController, AuditRunsController],
  providers: [AuditRequestService],
})
export class AuditRunsModule {}

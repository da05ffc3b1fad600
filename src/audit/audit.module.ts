import { Module } from '@nestjs/common';
import { AuditMetrics } from './audit-metrics.js';
import { AuditRunsController } from './audit-runs.controller.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';

/** The audit, for the processes that run it and for the clients that ask what it found. */
@Module({
  controllers: [AuditController, AuditRunsController],
  providers: [AuditService, AuditMetrics],
  exports: [AuditService],
})
export class AuditModule {}

import { Module } from '@nestjs/common';
import { AuditMetrics } from './audit-metrics.js';
import { AuditService } from './audit.service.js';

/** The audit, for every process that runs it or tells what it found. */
@Module({
  providers: [AuditService, AuditMetrics],
  exports: [AuditService],
})
export class AuditModule {}

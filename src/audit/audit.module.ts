import { Module } from '@nestjs/common';
import { AuditMetrics } from './audit-metrics.js';
import { AuditController } from './audit.controller.js';
import { AuditService } from './audit.service.js';

/** The audit, for the processes that run it and for the clients that ask what it found. */
@Module({
  controllers: [AuditController],
  providers: [AuditService, AuditMetrics],
  exports: [AuditService],
})
export class AuditModule {}

import { Module } from '@nestjs/common';
import { QueueModule } from '../queue/queue.module.js';
import { AUDIT_QUEUE } from './audit-jobs.js';
import { AuditModule } from './audit.module.js';
import { AuditSchedule } from './audit-schedule.js';
import { AuditProcessor } from './audit.processor.js';

/** The nightly audit. Only the worker's root imports it: reaching it starts a worker. */
@Module({ imports: [AuditModule, QueueModule.forFeature(AUDIT_QUEUE)], providers: [AuditProcessor, AuditSchedule] })
export class AuditProcessingModule {}

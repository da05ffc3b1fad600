import { Module } from '@nestjs/common';
import { AuditService } from './audit.service.js';

/** The audit, for those who run it and those who ask what it found. */
@Module({ providers: [AuditService], exports: [AuditService] })
export class AuditModule {}

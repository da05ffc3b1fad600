import { Module } from '@nestjs/common';
import { AuditModule } from '../audit/audit.module.js';
import { CacheStatisticsService } from './cache-statistics.service.js';
import { HealthController } from './health.controller.js';
import { ReadinessModule } from './readiness.module.js';

@Module({
  imports: [ReadinessModule, AuditModule],
  controllers: [HealthController],
  providers: [CacheStatisticsService],
})
export class HealthModule {}

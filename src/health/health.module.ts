import { Module } from '@nestjs/common';
import { CacheStatisticsService } from './cache-statistics.service.js';
import { ProductCacheModule } from '../products/product-cache.module.js';
import { HealthController } from './health.controller.js';
import { ReadinessModule } from './readiness.module.js';

@Module({
  imports: [ReadinessModule, ProductCacheModule],
  controllers: [HealthController],
  providers: [CacheStatisticsService],
})
export class HealthModule {}

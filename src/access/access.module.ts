import { Module } from '@nestjs/common';
import { CacheModule } from '../cache/cache.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { CallersModule } from './callers.module.js';
import { RateLimiter } from './rate-limiter.js';
import { RateSharing } from './rate-sharing.js';

/** Who may come in, and how often. */
@Module({
  imports: [CallersModule, CacheModule, IdempotencyModule],
  controllers: [ApiKeysController],
  providers: [ApiKeysService, RateLimiter, RateSharing],
  exports: [CallersModule, RateLimiter],
})
export class AccessModule {}

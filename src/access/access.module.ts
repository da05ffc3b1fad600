import { Module } from '@nestjs/common';
import { CacheModule } from '../cache/cache.module.js';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { KeyRing } from './key-ring.js';
import { KeyUseWriter } from './key-use-writer.js';
import { RateLimiter } from './rate-limiter.js';
import { RateSharing } from './rate-sharing.js';
import { RefusalRecorder } from './refusal-recorder.js';
import { TokenAuthenticator } from './token-authenticator.js';
import { TokenIssuer } from './token-issuer.js';

/** Who may come in. */
@Module({
  imports: [CacheModule, IdempotencyModule],
  controllers: [ApiKeysController],
  providers: [
    ApiKeysService,
    KeyRing,
    KeyUseWriter,
    TokenIssuer,
    TokenAuthenticator,
    RateLimiter,
    RateSharing,
    RefusalRecorder,
  ],
  exports: [TokenAuthenticator, RateLimiter, RefusalRecorder],
})
export class AccessModule {}

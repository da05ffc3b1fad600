import { Module } from '@nestjs/common';
import { IdempotencyModule } from '../idempotency/idempotency.module.js';
import { ApiKeysController } from './api-keys.controller.js';
import { ApiKeysService } from './api-keys.service.js';
import { KeyRing } from './key-ring.js';
import { KeyUseWriter } from './key-use-writer.js';
import { TokenAuthenticator } from './token-authenticator.js';
import { TokenIssuer } from './token-issuer.js';

/** Who may come in. */
@Module({
  imports: [IdempotencyModule],
  controllers: [ApiKeysController],
  providers: [ApiKeysService, KeyRing, KeyUseWriter, TokenIssuer, TokenAuthenticator],
  exports: [TokenAuthenticator],
})
export class AccessModule {}

import { Module } from '@nestjs/common';
import { KeyRing } from './key-ring.js';
import { KeyUseWriter } from './key-use-writer.js';
import { RefusalRecorder } from './refusal-recorder.js';
import { TokenAuthenticator } from './token-authenticator.js';
import { TokenIssuer } from './token-issuer.js';

/** Knows who calls, in every process that asks. */
@Module({
  providers: [KeyRing, KeyUseWriter, TokenIssuer, TokenAuthenticator, RefusalRecorder],
  exports: [KeyRing, TokenAuthenticator, RefusalRecorder],
})
export class CallersModule {}

import { Injectable } from '@nestjs/common';
import type { Authenticator, Caller } from '../kernel/access/caller.js';
import { KeyRing } from './key-ring.js';
import { TokenIssuer } from './token-issuer.js';

/** Knows callers by what they send: a key, or a token of the issuer. */
@Injectable()
export class TokenAuthenticator implements Authenticator {
  constructor(
    private readonly keys: KeyRing,
    private readonly issuer: TokenIssuer,
  ) {}

  get knowsAnybody(): boolean {
    return this.issuer.isThere || this.keys.knowsAnybody;
  }

  authenticate(token: string): Caller | Promise<Caller> {
    return this.issuer.mayHaveIssued(token) ? this.issuer.authenticate(token) : this.keys.authenticate(token);
  }
}

import { hash } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import {
  createLocalJWKSet,
  createRemoteJWKSet,
  errors,
  type JSONWebKeySet,
  type JWTPayload,
  jwtVerify,
  type JWTVerifyGetKey,
  type RemoteJWKSet,
} from 'jose';
import { isTrustworthy } from '../config/access.js';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import type { Caller } from '../kernel/access/caller.js';
import { CUSTOMER_SCOPES, isScope, widened } from '../kernel/access/scopes.js';
import { UnauthenticatedError } from '../kernel/access/unauthenticated.error.js';
import { Log } from '../runtime/log.js';
import { IssuerUnavailableError } from './access.errors.js';

/** A fixed list: a token's header picks none that is not on it, `none` and those with a shared secret least of all. */
const ALGORITHMS = [
  'RS256',
  'RS384',
  'RS512',
  'PS256',
  'PS384',
  'PS512',
  'ES256',
  'ES384',
  'ES512',
  'EdDSA',
  'Ed25519',
];
const JWT = /^[\w-]+\.[\w-]+\.[\w-]*$/;
/** What an actor and a `customer_ref` can be made of (OpenID Connect Core 1.0, section 2: a `sub` is ASCII). */
const SUBJECT = /^[ -~]{1,128}$/;
/** Clocks differ a little. */
const CLOCK_TOLERANCE_SECONDS = 5;
/** Of more, the oldest are forgotten. */
const MAX_VERIFIED = 10_000;

interface VerifiedToken {
  readonly caller: Caller;
  /** In milliseconds since 1970: then the token is looked at again. */
  readonly until: number;
}

/**
 * Tokens of the OpenID Connect issuer of `OIDC_ISSUER`. Its keys are read when the first token comes, and again when one names a key that is not
 * among them, but not at once after that: an issuer that is away, or strangers with tokens of their own make, keep nobody else waiting.
 */
@Injectable()
export class TokenIssuer {
  private readonly logger = new Log('TokenIssuer');
  private keys: Promise<RemoteJWKSet> | undefined;
  /** Those that were read last. */
  private known: JSONWebKeySet | undefined;
  /** As `performance.now` tells it. */
  private awayUntil = -Infinity;
  /** By the digest of the token. */
  private readonly verified = new Map<string, VerifiedToken>();

  constructor(private readonly config: Config) {}

  /** Whether there is an issuer. */
  get isThere(): boolean {
    return this.config.access.oidc !== undefined;
  }

  /** Whether the token may be one of the issuer. */
  mayHaveIssued(token: string): boolean {
    return this.isThere && JWT.test(token);
  }

  /** Throws, or rejects with, UnauthenticatedError, or IssuerUnavailableError when it cannot tell now. */
  authenticate(token: string): Caller | Promise<Caller> {
    const digest = hash('sha256', token, 'base64');
    const known = this.verified.get(digest);
    if (known !== undefined && Date.now() < known.until) return known.caller;
    return this.verify(token).then((caller) => {
      this.remember(digest, caller);
      return caller;
    });
  }

  private async verify(token: string): Promise<Caller> {
    const options = {
      ...this.config.access.oidc,
      algorithms: ALGORITHMS,
      requiredClaims: ['iss', 'aud', 'exp', 'sub'],
      clockTolerance: CLOCK_TOLERANCE_SECONDS,
    };
    try {
      const { payload } = await jwtVerify(token, this.keyOf, options);
      return callerOf(payload);
    } catch (error) {
      // Its signature was looked at before.
      if (error instanceof errors.JWTExpired) throw new UnauthenticatedError('This token has expired', false);
      if (error instanceof errors.JOSEError) throw new UnauthenticatedError(reasonOf(error));
      throw error;
    }
  }

  private readonly keyOf: JWTVerifyGetKey = async (header, token) => {
    if (performance.now() < this.awayUntil) return this.knownKeyOf(header, token);
    try {
      this.keys ??= this.findKeys();
      const keys = await this.keys;
      const key = await keys(header, token);
      this.known = keys.jwks() ?? this.known;
      return key;
    } catch (error) {
      if (isOfToken(error)) throw error;
      // Another request may have waited for the same answer.
      if (performance.now() >= this.awayUntil) this.logger.warn('The issuer of tokens does not answer', { error });
      this.keys = undefined;
      this.awayUntil = performance.now() + LIMITS.issuerPauseMs;
      return this.knownKeyOf(header, token);
    }
  };

  /** While the issuer is away, those of its keys are good that were read last. @throws IssuerUnavailableError for any other. */
  private readonly knownKeyOf: JWTVerifyGetKey = async (header, token) => {
    if (this.known === undefined) throw new IssuerUnavailableError();
    return createLocalJWKSet(this.known)(header, token).catch(() => {
      throw new IssuerUnavailableError();
    });
  };

  /** Where the issuer has its keys (OpenID Connect Discovery 1.0, section 4). */
  private async findKeys(): Promise<RemoteJWKSet> {
    const issuer = this.config.access.oidc?.issuer ?? '';
    const response = await fetch(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, {
      redirect: 'error',
      signal: AbortSignal.timeout(LIMITS.issuerMs),
    });
    if (!response.ok) throw new Error(`The issuer answers its discovery with ${response.status}`);
    // eslint-disable-next-line @typescript-eslint/no-unsafe-assignment -- both parts are checked
    const found: { issuer?: unknown; jwks_uri?: unknown } = JSON.parse(await response.text());
    if (found.issuer !== issuer) throw new Error(`The issuer calls itself ${String(found.issuer)}, and not ${issuer}`);
    const { jwks_uri: uri } = found;
    if (typeof uri !== 'string' || !isTrustworthy(uri)) throw new Error('The issuer names no https:// URL of its keys');
    return createRemoteJWKSet(new URL(uri), {
      timeoutDuration: LIMITS.issuerMs,
      cooldownDuration: LIMITS.issuerPauseMs,
    });
  }

  private remember(digest: string, caller: Caller): void {
    const until = Math.min(Date.now() + LIMITS.keysKeptMs, caller.expiresAt?.getTime() ?? Infinity);
    this.verified.delete(digest);
    this.verified.set(digest, { caller, until });
    const [oldest] = this.verified.keys();
    if (this.verified.size > MAX_VERIFIED && oldest !== undefined) this.verified.delete(oldest);
  }
}

/** A token whose `scope` names scopes of ours has those; any other is a customer's. @throws UnauthenticatedError */
function callerOf({ sub, exp = 0, scope }: JWTPayload): Caller {
  // An issuer may sign anything: an owner of null would be everybody.
  if (typeof sub !== 'string' || !SUBJECT.test(sub))
    throw new UnauthenticatedError('The sub of this token is not 1 to 128 printable characters');
  const expiresAt = new Date((exp + CLOCK_TOLERANCE_SECONDS) * 1_000);
  if (Number.isNaN(expiresAt.getTime())) throw new UnauthenticatedError('The exp of this token is no moment');
  const scopes = typeof scope === 'string' ? scope.split(' ').filter(isScope) : [];
  const isCustomer = scopes.length === 0;
  return {
    actor: `${isCustomer ? 'customer' : 'user'}:${sub}`,
    scopes: widened(isCustomer ? CUSTOMER_SCOPES : scopes),
    customerRef: isCustomer ? sub : null,
    expiresAt,
    isValid: () => Date.now() < expiresAt.getTime(),
  };
}

/** Whether it is the token that is wrong, and not the issuer that is away. */
function isOfToken(error: unknown): boolean {
  return (
    error instanceof errors.JWKSNoMatchingKey ||
    error instanceof errors.JWKSMultipleMatchingKeys ||
    error instanceof errors.JOSENotSupported
  );
}

function reasonOf(error: errors.JOSEError): string {
  if (error instanceof errors.JWTClaimValidationFailed)
    return `The ${error.claim} of this token is not as it has to be`;
  return 'This token is not valid: its issuer, its algorithm or its signature is another';
}

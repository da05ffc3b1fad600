import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { Authenticator, Caller } from '../kernel/caller.js';
import { ACCESS_ROLES, isAccessRole, isScope, type Scope, widened } from '../kernel/scopes.js';
import { UnauthenticatedError } from '../kernel/unauthenticated.error.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { type KnownApiKey, selectKnownApiKeys, selectVersion } from './api-key-rows.js';
import { digestOf, keyIdOf } from './api-key-token.js';
import { KeysUnknownError } from './access.errors.js';

interface RingKey extends KnownApiKey {
  readonly caller: Caller;
}

/**
 * All keys that may come in, in memory, so that letting one in needs no I/O. Each second one number tells whether they have changed; where
 * PostgreSQL does not answer, what was read last holds for a while.
 */
@Injectable()
export class KeyRing extends PeriodicTask implements Authenticator {
  protected readonly intervalMs = LIMITS.keysRefreshMs;
  private keys = new Map<number, RingKey>();
  private version = -1;
  /** As `performance.now` tells it. */
  private confirmedAt = -Infinity;
  private readAt = -Infinity;
  /** When keys were used last, in milliseconds since 1970, until somebody takes that. */
  private uses = new Map<number, number>();

  constructor(
    @InjectDataSource(READS) private readonly reads: DataSource,
    private readonly config: Config,
  ) {
    super();
  }

  get knowsAnybody(): boolean {
    return this.keys.size > 0 || this.confirmedAt === -Infinity;
  }

  authenticate(token: string): Caller {
    const id = keyIdOf(token);
    if (id === undefined) throw new UnauthenticatedError('This is no key of this system, or it is mistyped');
    this.expectFresh();
    const key = this.keys.get(id);
    const now = Date.now();
    if (key === undefined || !isOf(key, digestOf(token), now)) {
      throw new UnauthenticatedError('This key is not valid: it has expired, was revoked, or never was one');
    }
    this.uses.set(id, now);
    return key.caller;
  }

  /** When keys were used since the last call. */
  takeUses(): ReadonlyMap<number, number> {
    const { uses } = this;
    this.uses = new Map();
    return uses;
  }

  override async onApplicationBootstrap(): Promise<void> {
    if (this.config.access.auth === 'off') return;
    await this.runOnce();
    await super.onApplicationBootstrap();
  }

  /** Reads the keys again when they have changed, and once a minute all the same: what is restored may have the number of before. */
  async run(): Promise<number> {
    const [row] = await readPrepared<{ version: number }>(this.reads, selectVersion());
    const now = performance.now();
    if (row !== undefined && (row.version !== this.version || now - this.readAt > LIMITS.keysKeptMs)) {
      const known = await readPrepared<KnownApiKey & object>(this.reads, selectKnownApiKeys());
      this.keys = new Map(known.map((key) => [key.id, { ...key, caller: this.callerOf(key) }]));
      this.version = row.version;
      this.readAt = now;
    }
    this.confirmedAt = now;
    return 0;
  }

  private callerOf({ id, role, scopes, expiresAt }: KnownApiKey): Caller {
    const named: readonly Scope[] = role !== null && isAccessRole(role) ? ACCESS_ROLES[role] : scopes.filter(isScope);
    const isValid = () => this.keys.has(id) && (expiresAt === null || expiresAt.getTime() > Date.now());
    return { actor: `key:${id}`, scopes: widened(named), isValid };
  }

  /** @throws KeysUnknownError */
  private expectFresh(): void {
    if (performance.now() - this.confirmedAt > LIMITS.keysKeptMs) throw new KeysUnknownError();
  }
}

function isOf(
  { digest, previousDigest, previousExpiresAt, expiresAt }: KnownApiKey,
  sent: Buffer,
  now: number,
): boolean {
  if (expiresAt !== null && expiresAt.getTime() <= now) return false;
  if (timingSafeEqual(digest, sent)) return true;
  const isPrevious = previousDigest !== null && timingSafeEqual(previousDigest, sent);
  return isPrevious && previousExpiresAt !== null && previousExpiresAt.getTime() > now;
}

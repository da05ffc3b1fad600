import { timingSafeEqual } from 'node:crypto';
import { Injectable } from '@nestjs/common';
import { InjectDataSource } from '@nestjs/typeorm';
import { DataSource } from 'typeorm';
import { Config } from '../config/config.js';
import { LIMITS } from '../config/limits.js';
import { READS } from '../database/data-source-options.js';
import { readPrepared } from '../database/prepared-statement.js';
import type { Caller } from '../kernel/access/caller.js';
import { ACCESS_ROLES, isAccessRole, isScope, type Scope, widened } from '../kernel/access/scopes.js';
import { UnauthenticatedError } from '../kernel/access/unauthenticated.error.js';
import { PeriodicTask } from '../runtime/periodic-task.js';
import { type KnownApiKey, selectKnownApiKeys, selectVersion } from './api-key-rows.js';
import { digestOf, keyIdOf } from './api-key-token.js';
import { KeysUnknownError } from './access.errors.js';

/** Whom a token belongs to. */
interface Known {
  readonly id: number;
  readonly caller: Caller;
  /** In milliseconds since 1970. */
  readonly until: number;
  /** When it was used last, as `performance.now` tells it, which is read for each request anyway; 0 when that was taken. */
  usedAt: number;
}

interface RingKey extends KnownApiKey {
  /** By its secret. */
  readonly caller: Caller;
  /** By the one that it had before. */
  readonly previousCaller: Caller | undefined;
}

/**
 * All keys that may come in, in memory, so that letting one in needs no I/O. Each second one number tells whether they have changed; where
 * PostgreSQL does not answer, what was read last holds for a while.
 */
@Injectable()
export class KeyRing extends PeriodicTask {
  protected readonly intervalMs = LIMITS.keysRefreshMs;
  private keys = new Map<number, RingKey>();
  /** Of tokens that were let in: worked out once. Two of a key at most, for the keys are read again when one changes. */
  private seen = new Map<string, Known>();
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

  /** Whether there is a key. */
  get knowsAnybody(): boolean {
    return this.keys.size > 0 || this.confirmedAt === -Infinity;
  }

  /** @throws UnauthenticatedError, KeysUnknownError */
  authenticate(token: string): Caller {
    const seen = this.seen.get(token);
    const known = seen !== undefined && !isOver(seen.until) ? seen : this.lookUp(token);
    const now = performance.now();
    this.expectFresh(now);
    known.usedAt = now;
    return known.caller;
  }

  /** When keys were used since the last call. */
  takeUses(): ReadonlyMap<number, number> {
    this.collectUses();
    const { uses } = this;
    this.uses = new Map();
    return uses;
  }

  /** What could not be written, unless the key was used again. */
  giveBackUses(uses: ReadonlyMap<number, number>): void {
    this.uses = new Map([...uses, ...this.uses]);
  }

  /** Looks now: this process has changed a key itself. */
  async refresh(): Promise<void> {
    await this.runOnce();
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
      this.keys = new Map(known.map((key) => [key.id, this.ringKeyOf(key)]));
      this.collectUses();
      this.seen = new Map();
      this.version = row.version;
      this.readAt = now;
    }
    this.confirmedAt = now;
    return 0;
  }

  private collectUses(): void {
    const origin = Date.now() - performance.now();
    for (const known of this.seen.values()) {
      if (known.usedAt > 0)
        this.uses.set(known.id, Math.max(Math.round(origin + known.usedAt), this.uses.get(known.id) ?? 0));
      known.usedAt = 0;
    }
  }

  private ringKeyOf(key: KnownApiKey): RingKey {
    const { id, role, scopes, customerRef, expiresAt, digest, previousDigest } = key;
    const named: readonly Scope[] = role !== null && isAccessRole(role) ? ACCESS_ROLES[role] : scopes.filter(isScope);
    const allowed = widened(named);
    const callerBy = (own: Buffer): Caller => ({
      actor: `key:${id}`,
      scopes: allowed,
      customerRef,
      expiresAt,
      isValid: () => this.find(id, own) !== undefined,
    });
    const previousCaller = previousDigest === null ? undefined : callerBy(previousDigest);
    return { ...key, caller: callerBy(digest), previousCaller };
  }

  /** @throws UnauthenticatedError, KeysUnknownError */
  private lookUp(token: string): Known {
    const id = keyIdOf(token);
    if (id === undefined) throw new UnauthenticatedError('This is no key of this system, or it is mistyped');
    this.expectFresh(performance.now());
    const known = this.find(id, digestOf(token));
    if (known === undefined) {
      throw new UnauthenticatedError('This key is not valid: it has expired, was revoked, or never was one');
    }
    this.seen.set(token, known);
    return known;
  }

  /** Whose secret has this digest; `undefined` when nobody's, or no longer. */
  private find(id: number, sent: Buffer): Known | undefined {
    const key = this.keys.get(id);
    const end = endOf(key?.expiresAt ?? null);
    if (key === undefined || isOver(end)) return undefined;
    if (timingSafeEqual(key.digest, sent)) return { id, caller: key.caller, until: end, usedAt: 0 };
    const isPrevious = key.previousDigest !== null && timingSafeEqual(key.previousDigest, sent);
    const previousEnd = Math.min(end, endOf(key.previousExpiresAt));
    if (!isPrevious || key.previousCaller === undefined || isOver(previousEnd)) return undefined;
    return { id, caller: key.previousCaller, until: previousEnd, usedAt: 0 };
  }

  /** @throws KeysUnknownError */
  private expectFresh(now: number): void {
    if (now - this.confirmedAt > LIMITS.keysKeptMs) throw new KeysUnknownError();
  }
}

/** The clock is not read for what has no end. */
function isOver(end: number): boolean {
  return end !== Infinity && end <= Date.now();
}

function endOf(end: Date | null): number {
  return end?.getTime() ?? Infinity;
}

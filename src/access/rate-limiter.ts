import { Injectable } from '@nestjs/common';
import type { Rate, RateLimit, Standing } from '../kernel/access/rate.js';

const BURST_MS = 1_000;
/** Of more, those that came first are forgotten. */
const MAX_CALLERS = 100_000;

/** What a caller has asked for. */
interface Account {
  /** When all of it is paid for, as `performance.now` tells it. */
  paidAt: number;
  /** Milliseconds of its rate that it has used since somebody took that. */
  usedMs: number;
}

/**
 * The generic cell rate algorithm (ITU-T I.371, annex A): a caller is known by the moment at which all that it has asked for is paid for at its
 * rate. What it asks for moves that moment on, and is refused when it would be more than a burst away. {@link RateSharing} brings the moments
 * of all processes together.
 */
@Injectable()
export class RateLimiter implements RateLimit {
  private readonly accounts = new Map<string, Account>();

  take(caller: string, { perSecond, burstMs = BURST_MS }: Rate, weight: number): Standing {
    const now = performance.now();
    const account = this.accounts.get(caller) ?? this.open(caller);
    const costMs = (weight * 1_000) / perSecond;
    const paidAt = Math.max(now, account.paidAt);
    // Whoever has asked for nothing may ask for anything, whatever its weight.
    const waitMs = paidAt === now ? 0 : Math.max(paidAt + costMs - now - burstMs, 0);
    const isAllowed = waitMs === 0;
    if (isAllowed) {
      account.paidAt = paidAt + costMs;
      account.usedMs += costMs;
    }
    const fullAfterMs = paidAt - now + (isAllowed ? costMs : 0);
    const remaining = Math.max(0, Math.floor(((burstMs - fullAfterMs) * perSecond) / 1_000));
    return { isAllowed, remaining, fullAfterMs, waitMs };
  }

  /** What callers have used since the last call, in milliseconds of their rates. Here callers are forgotten, and not while one waits. */
  takeUsed(): (readonly [caller: string, milliseconds: number])[] {
    const now = performance.now();
    const used: (readonly [string, number])[] = [];
    for (const [caller, account] of this.accounts) {
      if (account.usedMs > 0) used.push([caller, account.usedMs]);
      account.usedMs = 0;
      // Of whoever has paid for everything there is nothing to know.
      if (account.paidAt <= now) this.accounts.delete(caller);
    }
    return used;
  }

  /** Heeds what a caller has used in all processes: it is paid for in so many milliseconds, without what it has used since {@link takeUsed}. */
  heed(caller: string, milliseconds: number): void {
    const account = this.accounts.get(caller) ?? this.open(caller);
    account.paidAt = Math.max(account.paidAt, performance.now() + milliseconds + account.usedMs);
  }

  private open(caller: string): Account {
    const account = { paidAt: 0, usedMs: 0 };
    this.accounts.set(caller, account);
    if (this.accounts.size > MAX_CALLERS) {
      const [oldest] = this.accounts.keys();
      if (oldest !== undefined) this.accounts.delete(oldest);
    }
    return account;
  }
}

import { Injectable } from '@nestjs/common';
import type { Rate, RateLimit, Standing } from '../kernel/access/rate.js';

const BURST_MS = 1_000;
/** Of more, those that came first are forgotten. */
const MAX_CALLERS = 100_000;

/**
 * The generic cell rate algorithm (ITU-T I.371, annex A): a caller is known by the moment at which all that it has asked for is paid for at its
 * rate. What it asks for moves that moment on, and is refused when it would be more than a burst away. {@link RateSharing} brings the moments
 * of all processes together.
 */
@Injectable()
export class RateLimiter implements RateLimit {
  /** As `performance.now` tells it, by caller. */
  private readonly paidAt = new Map<string, number>();
  /** Milliseconds that callers have used since somebody took that. */
  private used = new Map<string, number>();

  take(caller: string, { perSecond, burstMs = BURST_MS }: Rate, weight: number): Standing {
    const now = performance.now();
    const costMs = (weight * 1_000) / perSecond;
    const paidAt = Math.max(now, this.paidAt.get(caller) ?? 0);
    // Whoever has asked for nothing may ask for anything, whatever its weight.
    const waitMs = paidAt === now ? 0 : Math.max(paidAt + costMs - now - burstMs, 0);
    const isAllowed = waitMs === 0;
    if (isAllowed) {
      this.pay(caller, paidAt + costMs);
      this.used.set(caller, (this.used.get(caller) ?? 0) + costMs);
    }
    const fullAfterMs = paidAt - now + (isAllowed ? costMs : 0);
    const remaining = Math.max(0, Math.floor(((burstMs - fullAfterMs) * perSecond) / 1_000));
    return { isAllowed, remaining, fullAfterMs, waitMs };
  }

  /** What callers have used since the last call, in milliseconds of their rates. Here callers are forgotten, and not while one waits. */
  takeUsed(): ReadonlyMap<string, number> {
    this.forgetPaid();
    const { used } = this;
    this.used = new Map();
    return used;
  }

  /** Heeds what a caller has used in all processes: it is paid for in so many milliseconds, without what it has used since {@link takeUsed}. */
  heed(caller: string, milliseconds: number): void {
    const paidAt = performance.now() + milliseconds + (this.used.get(caller) ?? 0);
    if (paidAt > (this.paidAt.get(caller) ?? 0)) this.pay(caller, paidAt);
  }

  private pay(caller: string, paidAt: number): void {
    this.paidAt.set(caller, paidAt);
    if (this.paidAt.size <= MAX_CALLERS) return;
    const [oldest] = this.paidAt.keys();
    if (oldest !== undefined) this.paidAt.delete(oldest);
  }

  /** Of whoever has paid for everything there is nothing to know. */
  private forgetPaid(): void {
    const now = performance.now();
    for (const [caller, moment] of this.paidAt) if (moment <= now) this.paidAt.delete(caller);
  }
}

/** How much a caller may ask for. */
export interface Rate {
  /** What the limit is counted by, for the header: a caller that is known, or an address. */
  readonly by: 'caller' | 'address';
  readonly perSecond: number;
  /** So much of it a caller may use at once, in milliseconds; 1 000 unless given. */
  readonly burstMs?: number;
}

/** Where a caller stands after a request. */
export interface Standing {
  readonly isAllowed: boolean;
  /** Requests of weight 1 that would be let in now. */
  readonly remaining: number;
  /** Until nothing is counted any more, in milliseconds. */
  readonly fullAfterMs: number;
  /** Until the request would be let in; 0 when it is. */
  readonly waitMs: number;
}

/** Counts requests. */
export interface RateLimit {
  /**
   * Counts a request of a caller, unless that is refused; it never waits.
   *
   * @param weight how many requests it counts as.
   */
  readonly take: (caller: string, rate: Rate, weight: number) => Standing;
}

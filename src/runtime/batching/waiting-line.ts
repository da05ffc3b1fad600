/** What waits for its turn. */
export interface Waiting {
  /** Whose it is, where several may be waiting for one; `undefined` for what stands for itself. */
  readonly owner: unknown;
  /** How much work it is. */
  readonly weight: number;
  /** When it came, as `performance.now` tells it. */
  readonly since: number;
  /** When it came, or later where that is more than its owner's share. The line sets it. */
  turn: number;
}

/** An owner's share, in milliseconds for each unit of weight: ten units a second. */
const SHARE_MS = 100;
/** What an owner may use of its share at once: ten units, the last item of which may be heavier. */
const BURST_MS = 1_000;
/** How much later the turn is of what is beyond its owner's share. */
const LATER_MS = 1_000;
/** So many owners are remembered before those that need not be are looked for. */
const MIN_OWNERS = 10_000;

/**
 * Those who wait. What is within its owner's share has its turn as it came; what is beyond has it a second later, and uses nothing of the
 * share, as GCRA tags what is too much (ATM Forum, "Traffic Management Specification 4.0", 1996). So under an overload that lasts, who
 * asks for more than a share is served as often as others for its share, and beyond it has what they leave; what is refused counts all
 * the same, or asking more often would pay. Only the order is changed: where nobody else waits, everything is served at once
 * (docs/decisions/0028).
 */
export class WaitingLine<W extends Waiting> {
  /** In the order of their turns. */
  private waiting: W[] = [];
  /** Until when an owner has used its share. */
  private readonly usedUntil = new Map<unknown, number>();
  private tidyAt = MIN_OWNERS;

  constructor(private readonly maxLength: number) {}

  get length(): number {
    return this.waiting.length;
  }

  /** When the one who has waited longest came; `Infinity` when nobody waits. */
  get oldestSince(): number {
    let oldest = Infinity;
    for (const { since } of this.waiting) if (since < oldest) oldest = since;
    return oldest;
  }

  get ownersKnown(): number {
    return this.usedUntil.size;
  }

  /** In the order of their turns. */
  inTurn(): readonly W[] {
    return this.waiting;
  }

  /**
   * Adds one more. Where that is too many, the one whose turn is last has to leave.
   *
   * @returns who has to leave, which may be the new one.
   */
  add(added: W): W | undefined {
    const { owner, weight, since } = added;
    const usedUntil = Math.max(since, this.usedUntil.get(owner) ?? since);
    const isBeyond = usedUntil - since >= BURST_MS;
    added.turn = isBeyond ? since + LATER_MS : since;
    if (owner !== undefined && !isBeyond) this.use(owner, usedUntil + weight * SHARE_MS, since);
    const isFull = this.waiting.length >= this.maxLength;
    const last = this.waiting.at(-1);
    if (isFull && (last === undefined || last.turn <= added.turn)) return added;
    if (isFull) this.waiting.pop();
    this.insert(added);
    return isFull ? last : undefined;
  }

  remove(leaving: readonly W[]): void {
    if (leaving.length === 0) return;
    const left = new Set(leaving);
    this.waiting = this.waiting.filter((each) => !left.has(each));
  }

  private insert(added: W): void {
    let place = this.waiting.length;
    while (place > 0 && (this.waiting[place - 1]?.turn ?? 0) > added.turn) place--;
    if (place === this.waiting.length) this.waiting.push(added);
    else this.waiting.splice(place, 0, added);
  }

  private use(owner: unknown, until: number, now: number): void {
    this.usedUntil.set(owner, until);
    if (this.usedUntil.size <= this.tidyAt) return;
    // Of owners whose share is free again there is nothing to know.
    for (const [other, end] of this.usedUntil) if (end <= now) this.usedUntil.delete(other);
    this.tidyAt = Math.max(MIN_OWNERS, 2 * this.usedUntil.size);
  }
}

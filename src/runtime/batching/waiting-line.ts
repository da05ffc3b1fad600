/** What waits for its turn. */
export interface Waiting {
  /** Whose it is, where several may be waiting for one; `undefined` for what stands for itself. */
  readonly owner: unknown;
  /** How much work it is. */
  readonly weight: number;
  /** When it came, as `performance.now` tells it. */
  readonly since: number;
  /** When it would have come if its owner asked for no more than its share. The line sets it. */
  turn: number;
}

/** An owner's share: so many milliseconds for each unit of weight. */
const SHARE_MS = 100;
/** What is more than its owner's share has its turn later, but by no more than this. */
const MAX_LATER_MS = 1_000;
/** So many owners are remembered before those that need not be are looked for. */
const MIN_OWNERS = 10_000;

/**
 * Those who wait, by virtual clocks (Zhang, "VirtualClock: A New Traffic Control Algorithm for Packet Switching Networks", SIGCOMM
 * 1990): the turn of what comes is now, or later when its owner has asked for more than its share just before. So who asks for less goes
 * before who asks for more, and as long as nobody asks for more than a share, all have their turns in the order in which they came. Only
 * the order is changed: where nobody else waits, everything is served at once. Whoever waits at most as long as a turn can be put off is
 * refused instead when others are waiting all the time (docs/decisions/0028).
 */
export class WaitingLine<W extends Waiting> {
  /** In the order of their turns. */
  private waiting: W[] = [];
  /** When an owner has used its share up. */
  private readonly usedUpAt = new Map<unknown, number>();
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
    return this.usedUpAt.size;
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
    const usedUpAt = owner === undefined ? since : (this.usedUpAt.get(owner) ?? since);
    added.turn = Math.min(Math.max(since, usedUpAt), since + MAX_LATER_MS);
    const isFull = this.waiting.length >= this.maxLength;
    const last = this.waiting.at(-1);
    if (isFull && (last === undefined || last.turn <= added.turn)) return added;
    if (isFull) this.waiting.pop();
    this.insert(added);
    if (owner !== undefined) this.usedUpAt.set(owner, added.turn + weight * SHARE_MS);
    this.tidy(since);
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

  /** Of owners whose share is free again there is nothing to know. */
  private tidy(now: number): void {
    if (this.usedUpAt.size <= this.tidyAt) return;
    for (const [other, end] of this.usedUpAt) if (end <= now) this.usedUpAt.delete(other);
    this.tidyAt = Math.max(MIN_OWNERS, 2 * this.usedUpAt.size);
  }
}

/** What waits for its turn. */
export interface Waiting {
  /** Whose it is, where several may be waiting for one; `undefined` for what stands for itself. */
  readonly owner: unknown;
  /** How much work it is, above 0. */
  readonly weight: number;
  /** When it came, as `performance.now` tells it. */
  readonly since: number;
  /** When its turn is, in weight that was served. The line sets it. */
  turn: number;
}

/** Of more, those that came first are forgotten, and begin anew. */
const MAX_OWNERS = 10_000;

/**
 * Those who wait, by start-time fair queueing (Goyal, Vin and Cheng, "Start-Time Fair Queuing", SIGCOMM 1996): the turn of what comes is now, or, where
 * its owner has asked for something before, when that would be done if each owner were served as much at a time. Now is the latest
 * turn that was served. So who asks for much makes nobody wait but itself, and as long as nobody asks twice, all have their turns in the order in which
 * they came. Once nobody waits, nothing is remembered.
 */
export class WaitingLine<W extends Waiting> {
  /** In the order of their turns. */
  private waiting: W[] = [];
  private now = 0;
  /** When all that owners have asked for would be done. */
  private readonly done = new Map<unknown, number>();

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
    added.turn = Math.max(this.now, this.done.get(added.owner) ?? 0);
    if (this.waiting.length < this.maxLength) {
      this.insert(added);
      return undefined;
    }
    const last = this.waiting.at(-1);
    if (last === undefined || last.turn <= added.turn) return added;
    this.waiting.pop();
    // It will not be served, so its owner has not had that.
    this.done.set(last.owner, last.turn);
    this.insert(added);
    return last;
  }

  /** They are served. */
  serve(served: readonly W[]): void {
    for (const { turn } of served) if (turn > this.now) this.now = turn;
    this.remove(served);
  }

  /** They leave, whether they are served or not. */
  remove(leaving: readonly W[]): void {
    if (leaving.length === 0) return;
    const left = new Set(leaving);
    this.waiting = this.waiting.filter((each) => !left.has(each));
    if (this.waiting.length > 0) return;
    this.now = 0;
    this.done.clear();
  }

  private insert(added: W): void {
    let place = this.waiting.length;
    while (place > 0 && (this.waiting[place - 1]?.turn ?? 0) > added.turn) place--;
    if (place === this.waiting.length) this.waiting.push(added);
    else this.waiting.splice(place, 0, added);
    if (added.owner === undefined) return;
    this.done.set(added.owner, added.turn + added.weight);
    if (this.done.size > MAX_OWNERS) {
      const [first] = this.done.keys();
      this.done.delete(first);
    }
  }
}

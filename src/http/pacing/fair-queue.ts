/** A queue of which each key has a lane of its own, which take turns: who puts much into it is served no more often than others. */
export class FairQueue<T> {
  /** In the order of their turns; none is empty. */
  private readonly lanes = new Map<unknown, T[]>();
  private count = 0;

  constructor(private readonly maxLength: number) {}

  get length(): number {
    return this.count;
  }

  /**
   * Adds one more. Where that is too many, the last of the longest lane has to leave.
   *
   * @returns who has to leave, which may be the new one.
   */
  add(key: unknown, added: T): T | undefined {
    const lane = this.lanes.get(key);
    if (lane === undefined) this.lanes.set(key, [added]);
    else lane.push(added);
    this.count++;
    return this.count > this.maxLength ? this.dropOne() : undefined;
  }

  /** Takes out the first of the lane whose turn it is. */
  next(): T | undefined {
    for (const [key, lane] of this.lanes) {
      const first = lane.shift();
      this.lanes.delete(key);
      if (lane.length > 0) this.lanes.set(key, lane);
      this.count--;
      return first;
    }
    return undefined;
  }

  private dropOne(): T | undefined {
    let longest: readonly [unknown, T[]] = [undefined, []];
    for (const each of this.lanes) if (each[1].length >= longest[1].length) longest = each;
    const [key, lane] = longest;
    const last = lane.pop();
    if (lane.length === 0) this.lanes.delete(key);
    this.count--;
    return last;
  }
}

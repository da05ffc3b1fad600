/** What waits for its turn. */
export interface Waiting {
  /** Whose it is, where several may be waiting for one; `undefined` for what stands for itself. */
  readonly owner: unknown;
  /** How much work it is. */
  readonly weight: number;
}

/**
 * Those who wait. Their turns are in order of arrival as long as no owner has two of them. Of what an owner has, each comes after everything of
 * others that has less of their own before it, by weight: the first of each before the second of any, so who asks for much makes
 * nobody wait but itself. That is the fairness of a round-robin that counts work (as of Shreedhar and Varghese, "Efficient Fair Queuing Using
 * Deficit Round-Robin", 1996), worked out anew for each batch, so that nothing has to be kept of those who do not wait.
 */
export class WaitingLine<W extends Waiting> {
  /** In order of arrival. */
  private waiting: W[] = [];
  /** The weight of what each owner has waiting. */
  private readonly loads = new Map<unknown, number>();
  /** Of those who wait, how many have an owner. */
  private owned = 0;

  constructor(private readonly maxLength: number) {}

  get length(): number {
    return this.waiting.length;
  }

  get oldest(): W | undefined {
    return this.waiting[0];
  }

  /**
   * Adds one more. Where that is too many, the one whose turn is last has to leave.
   *
   * @returns who has to leave, which may be the new one.
   */
  add(added: W): W | undefined {
    if (this.waiting.length < this.maxLength) {
      this.insert(added);
      return undefined;
    }
    const last = this.lastOfHeaviest();
    if (last === undefined || this.beforeLastOf(last) <= this.loadOf(added.owner)) return added;
    this.remove(new Set([last]));
    this.insert(added);
    return last;
  }

  /** In the order of their turns. */
  inTurn(): readonly W[] {
    if (this.owned === this.loads.size) return this.waiting;
    const before = new Map<unknown, number>();
    const turns = this.waiting.map((each) => {
      const { owner, weight } = each;
      if (owner === undefined) return { each, after: 0 };
      const after = before.get(owner) ?? 0;
      before.set(owner, after + weight);
      return { each, after };
    });
    return turns.sort((a, b) => a.after - b.after).map(({ each }) => each);
  }

  /** Those of whom it is true, in order of arrival. */
  filter(isMeant: (waiting: W) => boolean): W[] {
    return this.waiting.filter(isMeant);
  }

  remove(leaving: ReadonlySet<W>): void {
    if (leaving.size === 0) return;
    this.waiting = this.waiting.filter((each) => !leaving.has(each));
    for (const { owner, weight } of leaving) {
      if (owner === undefined) continue;
      this.owned--;
      const left = this.loadOf(owner) - weight;
      if (left > 0) this.loads.set(owner, left);
      else this.loads.delete(owner);
    }
  }

  private insert(added: W): void {
    const { owner, weight } = added;
    this.waiting.push(added);
    if (owner === undefined) return;
    this.owned++;
    this.loads.set(owner, this.loadOf(owner) + weight);
  }

  private loadOf(owner: unknown): number {
    return this.loads.get(owner) ?? 0;
  }

  private lastOfHeaviest(): W | undefined {
    if (this.owned === this.loads.size) return undefined;
    let heaviest: unknown;
    let most = 0;
    for (const [owner, load] of this.loads) {
      if (load > most) {
        most = load;
        heaviest = owner;
      }
    }
    return this.waiting.findLast(({ owner }) => owner === heaviest);
  }

  private beforeLastOf({ owner, weight }: W): number {
    return this.loadOf(owner) - weight;
  }
}

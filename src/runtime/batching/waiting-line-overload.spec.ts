import { Random } from '../../../test/simulator/random.js';
import { REAL } from '../../../test/support/limits.js';
import { type Waiting, WaitingLine } from './waiting-line.js';

interface Item extends Waiting {
  readonly owner: string | undefined;
}

/** Served in a second. */
const CAPACITY = 100;
const LONGEST_WAIT_MS = Math.max(REAL.purchaseTurnMs, REAL.readTurnMs);
const CROWD = '';

/**
 * A minute of an overload, in steps of a millisecond: so many items come in a second for each owner, at random, beside a crowd of
 * which each stands for itself.
 *
 * @returns how many of the items of an owner, or of the crowd, were served.
 */
function underOverload(maxLength: number, crowd: number, rates: Readonly<Record<string, number>>) {
  const line = new WaitingLine<Item>(maxLength);
  const random = new Random(1);
  const [came, served] = [new Map<string, number>(), new Map<string, number>()];
  const count = (counts: Map<string, number>, owner = CROWD) => counts.set(owner, (counts.get(owner) ?? 0) + 1);
  for (let now = 0; now < 60_000; now++) {
    for (const [owner, rate] of Object.entries({ ...rates, [CROWD]: crowd })) {
      if (!random.happens(rate / 1_000)) continue;
      count(came, owner);
      line.add({ owner: owner === CROWD ? undefined : owner, weight: 1, since: now, turn: 0 });
    }
    line.remove(line.inTurn().filter(({ since }) => since <= now - LONGEST_WAIT_MS));
    if (now % (1_000 / CAPACITY) > 0) continue;
    const turn = line.inTurn().slice(0, 1);
    for (const { owner } of turn) count(served, owner);
    line.remove(turn);
  }
  return (owner: string) => (served.get(owner) ?? 0) / (came.get(owner) ?? 0);
}

describe('WaitingLine under an overload that lasts', () => {
  describe.each([
    ['each waits as long as it may', 1_000],
    ['the line is full before that', 30],
  ])('when %s', (_, maxLength) => {
    it.each([2, 9, 12, 40, 500])(
      'serves who asks for %i items a second as often as the crowd, for its share',
      (rate) => {
        const served = underOverload(maxLength, 200, { one: rate });
        const inShare = Math.min(1, 10 / rate);
        expect(served('one') / (inShare * served(CROWD))).toBeGreaterThan(0.85);
        expect(served('one') / (inShare * served(CROWD))).toBeLessThan(1.15);
      },
    );
  });

  it('gives what is beyond the shares what is left', () => {
    const served = underOverload(1_000, 50, { one: 12, greedy: 500 });
    expect(served(CROWD)).toBe(1);
    expect(served('one')).toBeGreaterThan(0.8);
    // Of five hundred, ten are its share; thirty are left.
    expect(served('greedy')).toBeGreaterThan(0.06);
  });
});

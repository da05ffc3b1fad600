import fc from 'fast-check';
import { type Waiting, WaitingLine } from './waiting-line.js';

const MAX_WEIGHT = 9;
const OWNERS = ['A', 'B', 'C'];

interface Item extends Waiting {
  readonly owner: string | undefined;
}

let clock = 0;
const itemOf = (owner: string | undefined, weight = 1): Item => ({ owner, weight, since: clock++, turn: 0 });
const lineOf = (items: readonly Item[], maxLength = 1_000) => {
  const line = new WaitingLine<Item>(maxLength);
  for (const item of items) line.add(item);
  return line;
};
/** Serves the next ones. */
const serve = (line: WaitingLine<Item>, count: number) => {
  const served = line.inTurn().slice(0, count);
  line.serve(served);
  return served;
};
const weightOf = (items: readonly Item[]) => items.reduce((sum, { weight }) => sum + weight, 0);

const anItem = fc.record({
  owner: fc.option(fc.constantFrom(...OWNERS), { nil: undefined }),
  weight: fc.integer({ min: 1, max: MAX_WEIGHT }),
});
/** Who comes, and then how many are served. */
const steps = fc.array(fc.tuple(fc.array(anItem, { maxLength: 8 }), fc.nat({ max: 4 })), { maxLength: 30 });

describe('WaitingLine', () => {
  it('has turns in order of arrival while no owner asks twice', () => {
    const items = [itemOf('A', 5), itemOf(undefined), itemOf('B', 2), itemOf(undefined, 9), itemOf('C')];
    expect(lineOf(items).inTurn()).toEqual(items);
  });

  it.each([1, 2, 3, 100])('lets the first of each have its turn before the second of any, %i at a time', (count) => {
    const [a1, a2, a3] = [itemOf('A', 100), itemOf('A'), itemOf('A')];
    const [b1, b2, alone] = [itemOf('B'), itemOf('B'), itemOf(undefined)];
    const line = lineOf([a1, a2, a3, b1, b2, alone]);
    const served: Item[] = [];
    while (line.length > 0) served.push(...serve(line, count));
    expect(served).toEqual([a1, b1, alone, b2, a2, a3]);
  });

  it('remembers what an owner has had for as long as others wait', () => {
    const line = lineOf([itemOf('greedy', 100), itemOf('B', 2), itemOf('B', 2)]);
    serve(line, 1);
    const [again, late] = [itemOf('greedy'), itemOf('late')];
    line.add(again);
    line.add(late);
    expect(line.inTurn().map(({ owner }) => owner)).toEqual(['B', 'late', 'B', 'greedy']);
    serve(line, 4);
    line.add(again);
    line.add(late);
    expect(line.inTurn()).toEqual([again, late]);
  });

  it('lets everybody through beside six who ask for thirty orders of a hundred items each', () => {
    const greedy = Array.from({ length: 180 }, (_, index) => itemOf(`greedy ${index % 6}`, 100));
    const modest = Array.from({ length: 20 }, (_, index) => itemOf(`modest ${index}`));
    const line = lineOf([...greedy, ...modest]);
    expect(serve(line, 26)).toEqual([...greedy.slice(0, 6), ...modest]);
  });

  it('gives owners who both wait as much as each other, to within one item of each, and each its own in order', () => {
    fc.assert(
      fc.property(steps, (all) => {
        const line = new WaitingLine<Item>(1_000);
        const came: Item[] = [];
        const served: Item[] = [];
        /** What each pair has had since both have something waiting. */
        const since = new Map<string, number>();
        const look = () => {
          for (const one of OWNERS)
            for (const other of OWNERS) {
              const bothWait = [one, other].every((owner) => line.inTurn().some((item) => item.owner === owner));
              const pair = one + other;
              if (!bothWait) since.delete(pair);
              else if (!since.has(pair)) since.set(pair, served.length);
              const had = (owner: string) =>
                weightOf(served.slice(since.get(pair)).filter((item) => item.owner === owner));
              if (bothWait) expect(Math.abs(had(one) - had(other))).toBeLessThanOrEqual(2 * MAX_WEIGHT);
            }
        };
        for (const [items, count] of all) {
          for (const { owner, weight } of items) {
            const item = itemOf(owner, weight);
            came.push(item);
            line.add(item);
          }
          look();
          for (let each = 0; each < count; each++) {
            served.push(...serve(line, 1));
            look();
          }
        }
        served.push(...serve(line, line.length));
        for (const owner of [...OWNERS, undefined])
          expect(served.filter((item) => item.owner === owner)).toEqual(came.filter((item) => item.owner === owner));
      }),
    );
  });

  it('knows who has waited longest, whatever their turn', () => {
    const [first, second, third] = [itemOf('A', 9), itemOf('A'), itemOf('B')];
    const line = lineOf([first, second, third]);
    expect(line.oldestSince).toBe(first.since);
    line.remove([first]);
    expect(line.oldestSince).toBe(second.since);
    line.remove([second, third]);
    expect([line.oldestSince, line.length]).toEqual([Infinity, 0]);
  });

  it('turns away who is one too many', () => {
    const items = [itemOf('A'), itemOf('B')];
    const line = lineOf(items, 2);
    for (const more of [itemOf('C'), itemOf(undefined), itemOf('A')]) expect(line.add(more)).toBe(more);
    expect(line.inTurn()).toEqual(items);
  });

  it('lets who has asked for less take the place of the one whose turn is last, however heavy the first of another is', () => {
    const [a1, a2, a3] = [itemOf('A'), itemOf('A'), itemOf('A')];
    const heavy = itemOf('heavy', 100);
    const line = lineOf([a1, heavy, a2, a3], 4);
    const [alone, more] = [itemOf(undefined), itemOf('A')];
    expect(line.add(alone)).toBe(a3);
    expect(line.add(itemOf('B'))).toBe(a2);
    expect(line.add(more)).toBe(more);
    // What was not served does not count against its owner.
    line.remove([heavy, alone]);
    line.add(more);
    line.add(itemOf('A'));
    expect(line.inTurn().map(({ turn }) => turn)).toEqual([0, 0, 1, 2]);
  });
});

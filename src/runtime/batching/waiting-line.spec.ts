import fc from 'fast-check';
import { WaitingLine } from './waiting-line.js';

interface Item {
  readonly owner: string | undefined;
  readonly weight: number;
}

const anItem = fc.record({
  owner: fc.option(fc.constantFrom<string>('A', 'B', 'C'), { nil: undefined }),
  weight: fc.integer({ min: 1, max: 9 }),
});
const items = (...list: readonly (readonly [string | undefined, number])[]): Item[] =>
  list.map(([owner, weight]) => ({ owner, weight }));
const lineOf = (list: readonly Item[], maxLength = 1_000) => {
  const line = new WaitingLine<Item>(maxLength);
  for (const item of list) line.add(item);
  return line;
};
const weightOf = (list: readonly Item[], owner: unknown) =>
  list.filter((item) => item.owner === owner).reduce((sum, { weight }) => sum + weight, 0);

describe('WaitingLine', () => {
  it('has turns in order of arrival while no owner waits twice', () => {
    const list = items(['A', 5], [undefined, 1], ['B', 2], [undefined, 9], ['C', 1]);
    expect(lineOf(list).inTurn()).toEqual(list);
  });

  it('lets the first of each have its turn before the second of any, and counts by weight', () => {
    const [a1, a2, a3, b1, b2, alone] = items(['A', 100], ['A', 1], ['A', 1], ['B', 1], ['B', 1], [undefined, 1]);
    const list = [a1, a2, a3, b1, b2, alone].filter((item) => item !== undefined);
    expect(lineOf(list).inTurn()).toEqual([a1, b1, alone, b2, a2, a3]);
  });

  it('gives owners who all wait their shares, to within one item, and each its own in order of arrival', () => {
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 60 }), (list) => {
        const turns = lineOf(list).inTurn();
        expect(turns.toSorted((a, b) => list.indexOf(a) - list.indexOf(b))).toEqual(list);
        for (const owner of ['A', 'B', 'C', undefined]) {
          const isMeant = (item: Item) => item.owner === owner;
          expect(turns.filter(isMeant)).toEqual(list.filter(isMeant));
        }
        for (let served = 0; served < turns.length; served++) {
          const [before, after] = [turns.slice(0, served), turns.slice(served)];
          for (const { owner } of after) {
            // Nobody had so much that it began a turn while one who waits had had less.
            const own = weightOf(before, owner);
            const others = before.filter((item) => item.owner !== owner);
            for (const [index, other] of others.entries()) {
              if (other.owner === undefined) continue;
              expect(weightOf(others.slice(0, index), other.owner)).toBeLessThanOrEqual(owner === undefined ? 0 : own);
            }
          }
        }
      }),
    );
  });

  it('forgets of those who leave what they were', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(anItem, fc.boolean()), { maxLength: 60 }), (list) => {
        const line = lineOf(list.map(([item]) => item));
        line.remove(new Set(list.flatMap(([item, leaves]) => (leaves ? item : []))));
        const staying = list.flatMap(([item, leaves]) => (leaves ? [] : item));
        expect([line.length, line.oldest]).toEqual([staying.length, staying[0]]);
        expect(line.inTurn()).toEqual(lineOf(staying).inTurn());
      }),
    );
  });

  it('turns away who is one too many', () => {
    const [a, b, c] = items(['A', 1], ['B', 1], ['C', 1]);
    if (a === undefined || b === undefined || c === undefined) throw new Error('There are three');
    const line = lineOf([a, b], 2);
    expect(line.add(c)).toBe(c);
    expect(line.inTurn()).toEqual([a, b]);
  });

  it('lets who has less of its own take the place of the last of whoever has most', () => {
    const crowd = items(['A', 1], ['B', 1], ['A', 1], ['A', 1], ['B', 1]);
    const line = lineOf(crowd, 5);
    const [more, alone, other] = items(['A', 1], [undefined, 1], ['C', 1]);
    if (more === undefined || alone === undefined || other === undefined) throw new Error('There are three');
    expect(line.add(more)).toBe(more);
    expect(line.add(alone)).toBe(crowd[3]);
    expect([crowd[2], crowd[4]]).toContain(line.add(other));
    expect(line.length).toBe(5);
  });
});

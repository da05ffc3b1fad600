import fc from 'fast-check';
import { type Waiting, WaitingLine } from './waiting-line.js';

interface Item extends Waiting {
  readonly owner: string | undefined;
}

const itemOf = (owner: string | undefined, since: number, weight = 1): Item => ({ owner, weight, since, turn: 0 });
const lineOf = (items: readonly Item[], maxLength = 1_000) => {
  const line = new WaitingLine<Item>(maxLength);
  for (const item of items) line.add(item);
  return line;
};
/** Serves the next ones. */
const serve = (line: WaitingLine<Item>, count: number) => {
  const served = line.inTurn().slice(0, count);
  line.remove(served);
  return served;
};

describe('WaitingLine', () => {
  it('has turns in order of arrival while nobody asks for more than a share', () => {
    const items = [itemOf('A', 0), itemOf(undefined, 0, 9), itemOf('B', 1, 2), itemOf(undefined, 2), itemOf('A', 100)];
    expect(lineOf(items).inTurn()).toEqual(items);
  });

  it.each([1, 2, 3, 100])('lets who asks for less go before who asks for more, %i at a time', (count) => {
    const [a1, a2, a3] = [itemOf('A', 0, 10), itemOf('A', 0), itemOf('A', 0)];
    const [b1, b2, alone] = [itemOf('B', 1), itemOf('B', 1), itemOf(undefined, 2, 100)];
    const line = lineOf([a1, a2, a3, b1, b2, alone]);
    const served: Item[] = [];
    while (line.length > 0) served.push(...serve(line, count));
    expect(served).toEqual([a1, b1, b2, alone, a2, a3]);
  });

  it('remembers what an owner has had, and forgets it with time', () => {
    const line = lineOf([itemOf('greedy', 0, 100)]);
    serve(line, 1);
    const greedy = [itemOf('greedy', 100), itemOf('greedy', 9_000), itemOf('greedy', 9_001), itemOf('greedy', 9_002)];
    const other = itemOf('other', 9_900);
    for (const item of [...greedy, other]) line.add(item);
    expect(greedy.map(({ turn, since }) => turn - since)).toEqual([1_000, 1_000, 0, 1_000]);
    expect(line.inTurn()).toEqual([greedy[0], greedy[2], other, greedy[1], greedy[3]]);
  });

  it('has ten of an owner at once, and then ten a second', () => {
    const items = Array.from({ length: 200 }, (_, index) => itemOf('A', index * 10));
    lineOf(items);
    expect(items.slice(0, 11).map(({ turn, since }) => turn - since)).toEqual(Array.from({ length: 11 }, () => 0));
    expect(items.filter(({ turn, since }) => turn === since)).toHaveLength(30);
  });

  it('saves nothing up for an owner who has asked for nothing', () => {
    const items = [itemOf('A', 0), ...Array.from({ length: 20 }, () => itemOf('A', 3_600_000))];
    lineOf(items);
    expect(items.filter(({ turn, since }) => turn === since)).toHaveLength(11);
  });

  it('lets everybody through beside six who ask for thirty orders of a hundred items each', () => {
    const greedy = Array.from({ length: 180 }, (_, index) => itemOf(`greedy ${index % 6}`, index, 100));
    const modest = Array.from({ length: 20 }, (_, index) => itemOf(`modest ${index}`, 200 + index));
    const line = lineOf([...greedy, ...modest]);
    expect(serve(line, 26)).toEqual([...greedy.slice(0, 6), ...modest]);
  });

  it('lets nobody wait for more than a second of those who come later, however many they are and whatever was asked for', () => {
    const line = lineOf(Array.from({ length: 50 }, () => itemOf('greedy', 0, 100)));
    for (let now = 1; now <= 1_000; now++) {
      line.add(itemOf(undefined, now));
      line.add(itemOf(`new ${now}`, now));
      serve(line, 2);
    }
    for (let now = 1_001; now <= 1_050; now++) {
      line.add(itemOf(undefined, now));
      serve(line, 2);
    }
    expect(line.inTurn().filter(({ owner }) => owner === 'greedy')).toEqual([]);
  });

  it('loses nobody, and has all in the order in which they came but for what is beyond a share', () => {
    const anItem = fc.record({
      owner: fc.option(fc.constantFrom('A', 'B', 'C'), { nil: undefined }),
      weight: fc.integer({ min: 1, max: 20 }),
      after: fc.nat({ max: 300 }),
      served: fc.nat({ max: 3 }),
    });
    fc.assert(
      fc.property(fc.array(anItem, { maxLength: 60, size: 'max' }), (all) => {
        const line = new WaitingLine<Item>(1_000);
        const [came, served]: [Item[], Item[]] = [[], []];
        let now = 0;
        for (const { owner, weight, after, served: count } of all) {
          now += after;
          const item = itemOf(owner, now, weight);
          came.push(item);
          line.add(item);
          expect(line.inTurn()).toEqual(line.inTurn().toSorted((a, b) => a.turn - b.turn || a.since - b.since));
          expect([0, ...(owner === undefined ? [] : [1_000])]).toContain(item.turn - now);
          served.push(...serve(line, count));
        }
        served.push(...serve(line, line.length));
        expect(new Set(served)).toEqual(new Set(came));
        expect(served).toHaveLength(came.length);
      }),
    );
  });

  it('knows who has waited longest, whatever their turn', () => {
    const [first, second, third] = [itemOf('A', 1, 20), itemOf('A', 2), itemOf('B', 3)];
    const line = lineOf([first, second, third]);
    expect(line.oldestSince).toBe(1);
    line.remove([first]);
    expect(line.oldestSince).toBe(2);
    line.remove([second, third]);
    expect([line.oldestSince, line.length]).toEqual([Infinity, 0]);
  });

  it('turns away who is one too many', () => {
    const items = [itemOf('A', 0), itemOf('B', 0)];
    const line = lineOf(items, 2);
    for (const more of [itemOf('C', 0), itemOf(undefined, 1), itemOf('A', 2)]) expect(line.add(more)).toBe(more);
    expect(line.inTurn()).toEqual(items);
  });

  it('lets who asks for less take the place of what is beyond a share, however heavy the first of another is', () => {
    const [a1, a2, a3] = [itemOf('A', 0, 10), itemOf('A', 0), itemOf('A', 0)];
    const heavy = itemOf('heavy', 0, 100);
    const line = lineOf([a1, heavy, a2, a3], 4);
    const more = itemOf('A', 2, 100);
    expect(line.add(itemOf(undefined, 1))).toBe(a3);
    expect(line.add(itemOf('B', 1))).toBe(a2);
    expect(line.add(more)).toBe(more);
    const within = itemOf('A', 3);
    expect(line.add(within)).toBe(within);
  });

  it('remembers no more owners than it has to', () => {
    const line = new WaitingLine<Item>(10);
    for (let index = 0; index < 100_000; index++) {
      line.add(itemOf(`owner ${index}`, index));
      serve(line, 1);
    }
    expect(line.ownersKnown).toBeLessThanOrEqual(10_001);
  });

  it('remembers who has used more than a share, however many others come', () => {
    const line = lineOf([itemOf('greedy', 0, 100)]);
    for (let index = 0; index < 30_000; index++) {
      line.add(itemOf(`owner ${index}`, index / 10));
      serve(line, 1);
    }
    const again = itemOf('greedy', 3_000);
    line.add(again);
    expect(again.turn).toBe(4_000);
  });
});

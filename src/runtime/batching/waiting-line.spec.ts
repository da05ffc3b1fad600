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
    const [a1, a2, a3] = [itemOf('A', 0, 5), itemOf('A', 0), itemOf('A', 0)];
    const [b1, b2, alone] = [itemOf('B', 1), itemOf('B', 1), itemOf(undefined, 2)];
    const line = lineOf([a1, a2, a3, b1, b2, alone]);
    const served: Item[] = [];
    while (line.length > 0) served.push(...serve(line, count));
    expect(served).toEqual([a1, b1, alone, b2, a2, a3]);
  });

  it('remembers what an owner has had, and forgets it with time', () => {
    const line = lineOf([itemOf('greedy', 0, 5)]);
    serve(line, 1);
    const [again, other, later] = [itemOf('greedy', 100), itemOf('other', 499), itemOf('greedy', 2_000)];
    for (const item of [again, other, later]) line.add(item);
    expect([again, other, later].map(({ turn }) => turn)).toEqual([500, 499, 2_000]);
    expect(line.inTurn()).toEqual([other, again, later]);
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

  it('loses nobody, has all in the order of their turns, and those of each owner in the order in which they came', () => {
    const anItem = fc.record({
      owner: fc.option(fc.constantFrom('A', 'B', 'C'), { nil: undefined }),
      weight: fc.integer({ min: 1, max: 9 }),
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
          const turns = line.inTurn().map(({ turn }) => turn);
          expect(turns).toEqual(turns.toSorted((a, b) => a - b));
          expect(item.turn - now).toBeLessThanOrEqual(owner === undefined ? 0 : 1_000);
          served.push(...serve(line, count));
        }
        served.push(...serve(line, line.length));
        for (const owner of ['A', 'B', 'C', undefined])
          expect(served.filter((item) => item.owner === owner)).toEqual(came.filter((item) => item.owner === owner));
      }),
    );
  });

  it('knows who has waited longest, whatever their turn', () => {
    const [first, second, third] = [itemOf('A', 1, 9), itemOf('A', 2), itemOf('B', 3)];
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

  it('lets who asks for less take the place of the one whose turn is last, however heavy the first of another is', () => {
    const [a1, a2, a3] = [itemOf('A', 0), itemOf('A', 0), itemOf('A', 0)];
    const heavy = itemOf('heavy', 0, 100);
    const line = lineOf([a1, heavy, a2, a3], 4);
    const more = itemOf('A', 2);
    expect(line.add(itemOf(undefined, 1))).toBe(a3);
    expect(line.add(itemOf('B', 1))).toBe(a2);
    expect(line.add(more)).toBe(more);
  });

  it('remembers no more owners than it has to', () => {
    const line = new WaitingLine<Item>(10);
    for (let index = 0; index < 100_000; index++) {
      line.add(itemOf(`owner ${index}`, index));
      serve(line, 1);
    }
    expect(line.ownersKnown).toBeLessThanOrEqual(10_001);
  });
});

import fc from 'fast-check';
import { FairQueue } from './fair-queue.js';

const queueOf = (items: readonly (readonly [string, number])[], maxLength = 1_000) => {
  const queue = new FairQueue<string>(maxLength);
  const left = items.map(([key, number]) => queue.add(key, `${key}${number}`)).filter((each) => each !== undefined);
  return { queue, left };
};
const all = (queue: FairQueue<string>) => Array.from({ length: queue.length }, () => queue.next());

describe('FairQueue', () => {
  it('lets the lanes take turns, and keeps the order of each', () => {
    const { queue } = queueOf([
      ['a', 1],
      ['a', 2],
      ['a', 3],
      ['b', 1],
      ['a', 4],
      ['c', 1],
      ['b', 2],
    ]);
    expect(all(queue)).toEqual(['a1', 'b1', 'c1', 'a2', 'b2', 'a3', 'a4']);
    expect(queue.next()).toBeUndefined();
  });

  it('gives a lane that was empty its turn after those that wait', () => {
    const { queue } = queueOf([
      ['a', 1],
      ['b', 1],
      ['a', 2],
    ]);
    expect(queue.next()).toBe('a1');
    queue.add('a', 'a3');
    queue.add('c', 'c1');
    expect(all(queue)).toEqual(['b1', 'a2', 'c1', 'a3']);
  });

  it('has the last of the longest lane leave when too many wait, which may be the new one', () => {
    const { queue, left } = queueOf(
      [
        ['a', 1],
        ['a', 2],
        ['a', 3],
        ['b', 1],
        ['a', 4],
        ['b', 2],
      ],
      3,
    );
    expect(left).toEqual(['a3', 'a4', 'b2']);
    expect(all(queue)).toEqual(['a1', 'b1', 'a2']);
  });

  it('gives out each that was added once, unless it had to leave', () => {
    const step = fc.oneof(fc.constantFrom('a', 'b', 'c'), fc.constant(undefined));
    fc.assert(
      fc.property(fc.array(step), fc.integer({ min: 0, max: 5 }), (steps, maxLength) => {
        const queue = new FairQueue<number>(maxLength);
        const gone: (number | undefined)[] = [];
        const added: number[] = [];
        for (const [number, key] of steps.entries()) {
          const before = queue.length;
          if (key !== undefined) added.push(number);
          const out = key === undefined ? queue.next() : queue.add(key, number);
          if (out !== undefined) gone.push(out);
          const grown = key === undefined ? 0 : 1;
          expect(queue.length).toBe(before + grown - (out === undefined ? 0 : 1));
          expect(queue.length).toBeLessThanOrEqual(maxLength);
        }
        while (queue.length > 0) gone.push(queue.next());
        expect(gone.toSorted((a, b) => Number(a) - Number(b))).toEqual(added);
      }),
    );
  });
});

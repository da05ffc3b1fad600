import fc from 'fast-check';
import { createBatcher, settled } from '../../../test/support/batches.js';

describe('Batcher with keys', () => {
  it('serves no two batches with a common key at once, items of a key in order, late ones too, and all of them', async () => {
    const scenario = fc.record({
      maxBatchSize: fc.integer({ min: 1, max: 5 }),
      minBatchSize: fc.integer({ min: 1, max: 5 }),
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      keys: fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), { minLength: 1, maxLength: 60 }),
      turns: fc.array(fc.nat({ max: 3 }), { minLength: 120, maxLength: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ keys, turns, ...options }) => {
        const keysOf = (item: number) => keys[item] ?? [];
        const { batcher, batches } = createBatcher({ ...options, keysOf });
        const open: typeof batches = [];
        const served: number[] = [];
        let seen = 0;
        const look = async () => {
          await settled();
          for (const batch of batches.slice(seen)) {
            const busy = new Set(open.flatMap(({ items }) => items.flatMap(keysOf)));
            expect(batch.items.flatMap(keysOf).filter((key) => busy.has(key))).toEqual([]);
            open.push(batch);
            served.push(...batch.items);
          }
          seen = batches.length;
        };
        const finishOne = async (turn: number) => {
          const [batch] = open.splice(turn % Math.max(open.length, 1), 1);
          if (turn % 2 === 1) takeLate(batch);
          batch?.finish();
          await look();
        };
        const takeLate = (batch = open[0]) => {
          if (batch === undefined) return;
          const keysOfBatch = new Set(batch.items.flatMap(keysOf));
          const before = batch.items;
          const late = batch.batch.takeLate();
          expect(batch.items).toEqual([...before, ...late]);
          expect(late.flatMap(keysOf).every((key) => keysOfBatch.has(key))).toBe(true);
          expect(batch.items.length).toBeLessThanOrEqual(options.maxBatchSize);
          served.push(...late);
        };
        const callers = [];
        for (const [index, turn] of turns.slice(0, keys.length).entries()) {
          const caller = batcher.submit(index);
          caller.catch(() => undefined);
          callers.push(caller);
          if (turn > 1) await look();
          if (turn > 2) await finishOne(turn);
        }
        await look();
        for (const turn of turns) await finishOne(turn);

        await Promise.allSettled(callers);
        await batcher.idle();
        expect(served.toSorted((a, b) => a - b)).toEqual(keys.map((_, index) => index));
        for (const key of [1, 2, 3, 4, 5, 6]) {
          const ofKey = served.filter((item) => keysOf(item).includes(key));
          expect(ofKey).toEqual(ofKey.toSorted((a, b) => a - b));
        }
      }),
    );
  });

  it('serves the next of a key as soon as the key is given free', async () => {
    const { batcher, batches } = createBatcher({ keysOf: () => ['the same'] });
    void batcher.submit(1);
    await settled();
    void batcher.submit(2);
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    batches[0]?.batch.freeKeys();
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
  });

  it('adds to a batch who came since and needs no other key, in order of arrival, and nobody else', async () => {
    const keys: Record<number, string[]> = { 1: ['A', 'B'], 2: ['A'], 3: ['A', 'C'], 4: ['B'], 5: ['C'], 6: ['A'] };
    const { batcher, batches } = createBatcher({ maxInFlight: 1, maxBatchSize: 3, keysOf: (item) => keys[item] ?? [] });
    const outcomes = [1, 2, 3, 4, 5, 6].map(async (item, index) => {
      if (index > 0) await settled();
      return batcher.submit(item);
    });
    await settled();
    batches[0]?.batch.takeLate();
    expect(batches[0]?.items).toEqual([1, 2, 4]);
    batches[0]?.batch.takeLate();
    expect(batches[0]?.items).toEqual([1, 2, 4]);
    batches[0]?.finish();
    await settled();
    expect(batches[1]?.items).toEqual([3, 5, 6]);
    batches[1]?.finish();
    expect(await Promise.all(outcomes)).toEqual([1, 2, 3, 4, 5, 6].map((item) => `did ${item}`));
  });
});

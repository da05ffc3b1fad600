import { setImmediate as nextTurn } from 'node:timers/promises';
import { fulfilled } from '../../kernel/outcome.js';
import { remainingMs, withTimeBudget } from '../request-context.js';
import { Batcher } from './batcher.js';

describe('Batcher and time', () => {
  it('tells the outcomes of a large batch in parts, between which the event loop turns', async () => {
    const batcher = new Batcher<number, number>(async (items) => items.map((item) => fulfilled(item)), {
      maxBatchSize: 100,
      maxInFlight: 1,
      maxWaiting: 100,
      maxWaitMs: Infinity,
    });
    const told: number[] = [];
    let turn = 0;
    const all = Promise.all(
      Array.from({ length: 40 }, async (_each, n) => batcher.submit(n).then(() => told.push(turn))),
    );
    while (told.length < 40) {
      await nextTurn();
      turn++;
    }
    await all;
    expect(new Set(told).size).toBe(3);
  });

  it('serves by the deadline of the request that is answered first, and no inner budget is longer', async () => {
    const left: number[] = [];
    const batcher = new Batcher<number, number>(
      async (items) => {
        left.push(remainingMs());
        await withTimeBudget(5_000, async () => left.push(remainingMs()));
        await withTimeBudget(10, async () => left.push(remainingMs()));
        return items.map((item) => fulfilled(item));
      },
      { maxBatchSize: 10, maxInFlight: 1, maxWaiting: 10, maxWaitMs: Infinity },
    );
    const urgent = withTimeBudget(1_000, () => batcher.submit(1));
    const patient = withTimeBudget(60_000, () => batcher.submit(2));
    await Promise.all([urgent, patient, batcher.submit(3)]);
    expect(left).toHaveLength(3);
    const [outer = 0, longer = 0, shorter = 0] = left;
    expect(outer).toBeGreaterThan(10);
    expect(outer).toBeLessThanOrEqual(1_000);
    expect(longer).toBeLessThanOrEqual(1_000);
    expect(shorter).toBeLessThanOrEqual(10);
    await batcher.submit(4);
    expect(left[3]).toBe(Infinity);
  });
});

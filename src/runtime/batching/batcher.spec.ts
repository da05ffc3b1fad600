import fc from 'fast-check';
import { createBatcher, settled } from '../../../test/support/batches.js';
import { OverloadedError } from '../overloaded.error.js';

describe('Batcher', () => {
  it('loses no item, serves none twice, keeps the order, and brings each outcome to its caller', async () => {
    const scenario = fc.record({
      arrivals: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
      maxBatchSize: fc.integer({ min: 1, max: 10 }),
      minBatchSize: fc.integer({ min: 1, max: 10 }),
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      finishLast: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, finishLast, ...options }) => {
        const { batcher, batches } = createBatcher(options);
        const callers: Promise<string>[] = [];
        const served: number[] = [];
        let open: typeof batches = [];
        const step = async (last: boolean) => {
          const [batch] = open.splice(last ? -1 : 0, 1);
          batch?.finish();
          await settled();
          for (const { items } of batches.slice(seen)) served.push(...items);
          open = [...open, ...batches.slice(seen)];
          seen = batches.length;
        };
        let seen = 0;
        for (const [index, count] of arrivals.entries()) {
          for (let item = 0; item < count; item++) {
            const caller = batcher.submit(callers.length + 1);
            caller.catch(() => undefined);
            callers.push(caller);
          }
          await settled();
          expect(batches.length - seen + open.length).toBeLessThanOrEqual(options.maxInFlight);
          await step(finishLast[index] ?? false);
        }
        while (open.length > 0) await step(false);

        expect(served).toEqual(callers.map((_, index) => index + 1));
        for (const { items } of batches) expect(items.length).toBeLessThanOrEqual(options.maxBatchSize);
        const outcomes = await Promise.allSettled(callers);
        for (const [index, outcome] of outcomes.entries()) {
          const item = index + 1;
          if (item % 7 === 0) expect(outcome).toMatchObject({ status: 'rejected', reason: { message: `no ${item}` } });
          else expect(outcome).toEqual({ status: 'fulfilled', value: `did ${item}` });
        }
      }),
    );
  });

  it('serves a lone item at once, and those that come meanwhile together', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1 });
    const first = batcher.submit(1);
    await Promise.resolve();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    const others = [2, 3].map((item) => batcher.submit(item));
    await settled();
    batches[0]?.finish();
    expect(await first).toBe('did 1');
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3]]);
    batches[1]?.finish();
    expect(await Promise.all(others)).toEqual(['did 2', 'did 3']);
  });

  it('serves what is submitted in one go in one go', async () => {
    const { batcher, batches } = createBatcher({ maxBatchSize: 100 });
    const callers = Array.from({ length: 50 }, (_, index) => batcher.submit(index * 7 + 1));
    await settled();
    expect(batches.map(({ items }) => items.length)).toEqual([50]);
    batches[0]?.finish();
    expect(await Promise.all(callers)).toHaveLength(50);
  });

  it('leaves half of many to the batch after, and none of a few', async () => {
    const { batcher, batches } = createBatcher({ maxBatchSize: 100, minBatchSize: 4, maxInFlight: 1 });
    const callers = [11, 4, 100].map((count) => Array.from({ length: count }, () => batcher.submit(1)));
    await settled();
    for (let index = 0; index < 5; index++) {
      batches[index]?.finish();
      await settled();
    }
    expect(batches.slice(0, 5).map(({ items }) => items.length)).toEqual([58, 29, 14, 7, 4]);
    batches[5]?.finish();
    expect(await Promise.all(callers.flat())).toHaveLength(115);
  });

  it('counts who is being served among the many', async () => {
    const { batcher, batches } = createBatcher({ maxBatchSize: 100, minBatchSize: 2, keysOf: () => ['the same'] });
    const callers = Array.from({ length: 6 }, () => batcher.submit(1));
    await settled();
    batches[0]?.batch.takeLate();
    expect(batches[0]?.items).toHaveLength(3);
    callers.push(batcher.submit(1), batcher.submit(1));
    batches[0]?.batch.takeLate();
    expect(batches[0]?.items).toHaveLength(4);
    for (const index of [0, 1]) {
      batches[index]?.finish();
      await settled();
    }
    expect(batches.map(({ items }) => items.length)).toEqual([4, 2, 2]);
    batches[2]?.finish();
    expect(await Promise.all(callers)).toHaveLength(8);
  });

  it('is idle when nothing waits and nothing is being served', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1 });
    await batcher.idle();
    const first = batcher.submit(1);
    await settled();
    const second = batcher.submit(2);
    let isIdle = false;
    const idle = batcher.idle().then(() => (isIdle = true));
    batches[0]?.finish();
    await first;
    await settled();
    expect(isIdle).toBe(false);
    batches[1]?.finish();
    await Promise.all([second, idle]);
    expect(isIdle).toBe(true);
  });

  it('refuses at once what is one too many, and serves the others', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1, maxWaiting: 2 });
    const first = batcher.submit(1);
    await settled();
    const others = [2, 3].map((item) => batcher.submit(item));
    await expect(batcher.submit(4)).rejects.toThrow(OverloadedError);
    batches[0]?.finish();
    await settled();
    batches[1]?.finish();
    expect(await Promise.all([first, ...others])).toHaveLength(3);
  });

  it('does not serve an item that has waited too long or that nobody waits for any more', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1, maxWaitMs: -1 });
    await expect(batcher.submit(1)).rejects.toThrow(OverloadedError);
    const patient = createBatcher({ maxInFlight: 1 });
    const first = patient.batcher.submit(1);
    await settled();
    const gone = patient.batcher.submit(2, () => true);
    const last = patient.batcher.submit(3);
    patient.batches[0]?.finish();
    await expect(gone).rejects.toThrow(OverloadedError);
    await settled();
    patient.batches[1]?.finish();
    expect(await Promise.all([first, last])).toEqual(['did 1', 'did 3']);
    expect(patient.batches.map(({ items }) => items)).toEqual([[1], [3]]);
    expect(batches).toEqual([]);
  });

  it('gives a failure of the whole batch to each of it, and serves the next', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1 });
    const first = batcher.submit(1);
    await settled();
    const second = batcher.submit(2);
    batches[0]?.fail(new Error('whole'));
    await expect(first).rejects.toThrow('whole');
    await settled();
    batches[1]?.finish();
    expect(await second).toBe('did 2');
  });

  it('refuses what has waited too long at that moment, while the batch in flight takes longer', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 1, maxWaitMs: 50 });
    const first = batcher.submit(1);
    await settled();
    const before = performance.now();
    const late = batcher.submit(2);
    await expect(late).rejects.toThrow(OverloadedError);
    expect(performance.now() - before).toBeGreaterThanOrEqual(49);
    batches[0]?.finish();
    expect(await first).toBe('did 1');
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
  });

  it('serves no more weight together than it may, but for one item that is heavier alone, and lets none overtake it', async () => {
    const options = { maxInFlight: 1, maxBatchSize: 10, maxBatchWeight: 6, weightOf: (item: number) => item };
    const { batcher, batches } = createBatcher(options);
    const first = batcher.submit(1);
    await settled();
    const callers = [2, 3, 9, 1, 1, 5].map((item) => batcher.submit(item));
    for (let batch = 0; batch < batches.length; batch++) {
      batches[batch]?.finish();
      await settled();
    }
    await Promise.all([first, ...callers]);
    expect(batches.map(({ items }) => items)).toEqual([[1], [2, 3], [9], [1, 1], [5]]);
  });

  it('takes late items only as far as their weight has room', async () => {
    const options = { maxInFlight: 1, maxBatchSize: 10, maxBatchWeight: 6, weightOf: (item: number) => item };
    const { batcher, batches } = createBatcher(options);
    const callers = [batcher.submit(3)];
    await settled();
    callers.push(batcher.submit(2), batcher.submit(4));
    expect(batches[0]?.batch.takeLate()).toEqual([2]);
    batches[0]?.finish();
    await settled();
    batches[1]?.finish();
    await Promise.all(callers);
    expect(batches[1]?.items).toEqual([4]);
  });
});

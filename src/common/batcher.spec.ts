import fc from 'fast-check';
import { Batcher, type BatcherOptions, OverloadedError } from './batcher.js';

const OPTIONS: BatcherOptions<number> = { maxBatchSize: 4, maxInFlight: 2, maxWaiting: 1_000, maxWaitMs: 10_000 };

/** A server of batches whose every batch the test lets go on its own. */
function setup(options: Partial<BatcherOptions<number>> = {}) {
  const batches: { items: number[]; finish: () => void; fail: (error: Error) => void }[] = [];
  const batcher = new Batcher<number, string>(
    (items) =>
      new Promise((resolve, reject) => {
        batches.push({
          items: [...items],
          finish: () =>
            resolve(
              items.map((item) =>
                item % 7 === 0
                  ? { status: 'rejected', reason: new Error(`no ${item}`) }
                  : { status: 'fulfilled', value: `did ${item}` },
              ),
            ),
          fail: reject,
        });
      }),
    { ...OPTIONS, ...options },
  );
  return { batcher, batches };
}

const settled = () => new Promise((resolve) => setImmediate(resolve));

describe('Batcher', () => {
  it('loses no item, serves none twice, keeps the order, and brings each outcome to its caller', async () => {
    const scenario = fc.record({
      arrivals: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 30 }),
      maxBatchSize: fc.integer({ min: 1, max: 10 }),
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      finishLast: fc.array(fc.boolean(), { minLength: 60, maxLength: 60 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ arrivals, finishLast, ...options }) => {
        const { batcher, batches } = setup(options);
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
    const { batcher, batches } = setup({ maxInFlight: 1 });
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
    const { batcher, batches } = setup({ maxBatchSize: 100 });
    const callers = Array.from({ length: 50 }, (_, index) => batcher.submit(index * 7 + 1));
    await settled();
    expect(batches.map(({ items }) => items.length)).toEqual([50]);
    batches[0]?.finish();
    expect(await Promise.all(callers)).toHaveLength(50);
  });

  it('serves no two batches with a common key at once, items of a key in order, and all of them', async () => {
    const scenario = fc.record({
      maxBatchSize: fc.integer({ min: 1, max: 5 }),
      maxInFlight: fc.integer({ min: 1, max: 4 }),
      keys: fc.array(fc.array(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }), { minLength: 1, maxLength: 60 }),
      turns: fc.array(fc.nat({ max: 3 }), { minLength: 120, maxLength: 120 }),
    });
    await fc.assert(
      fc.asyncProperty(scenario, async ({ keys, turns, ...options }) => {
        const keysOf = (item: number) => keys[item] ?? [];
        const { batcher, batches } = setup({ ...options, keysOf });
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
          batch?.finish();
          await look();
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
    const frees: (() => void)[] = [];
    const served: number[] = [];
    const batcher = new Batcher<number, void>(
      (items, freeKeys) => {
        served.push(...items);
        frees.push(freeKeys);
        return new Promise(() => undefined);
      },
      { ...OPTIONS, keysOf: () => ['the same'] },
    );
    void batcher.submit(1);
    await settled();
    void batcher.submit(2);
    await settled();
    expect(served).toEqual([1]);
    frees[0]?.();
    await settled();
    expect(served).toEqual([1, 2]);
  });

  it('is idle when nothing waits and nothing is being served', async () => {
    const { batcher, batches } = setup({ maxInFlight: 1 });
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
    const { batcher, batches } = setup({ maxInFlight: 1, maxWaiting: 2 });
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
    const { batcher, batches } = setup({ maxInFlight: 1, maxWaitMs: -1 });
    await expect(batcher.submit(1)).rejects.toThrow(OverloadedError);
    const patient = setup({ maxInFlight: 1 });
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
    const { batcher, batches } = setup({ maxInFlight: 1 });
    const first = batcher.submit(1);
    await settled();
    const second = batcher.submit(2);
    batches[0]?.fail(new Error('whole'));
    await expect(first).rejects.toThrow('whole');
    await settled();
    batches[1]?.finish();
    expect(await second).toBe('did 2');
  });
});

import type { Batch } from '../../src/runtime/batching/batch.js';
import { Batcher } from '../../src/runtime/batching/batcher.js';
import type { BatcherOptions } from '../../src/runtime/batching/batcher-options.js';

const OPTIONS: BatcherOptions<number> = { maxBatchSize: 4, maxInFlight: 2, maxWaiting: 1_000, maxWaitMs: 10_000 };

/** A server of batches whose every batch the test lets go on its own. */
export function createBatcher(options: Partial<BatcherOptions<number>> = {}) {
  const batches: {
    items: readonly number[];
    batch: Batch<number>;
    finish: () => void;
    fail: (error: Error) => void;
  }[] = [];
  const batcher = new Batcher<number, string>(
    (_items, batch) =>
      new Promise((resolve, reject) => {
        batches.push({
          get items() {
            return batch.items();
          },
          batch,
          finish: () =>
            resolve(
              batch
                .items()
                .map((item) =>
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

/** When everything that needs no more than a turn of the event loop has happened. */
export const settled = () => new Promise((resolve) => setImmediate(resolve));

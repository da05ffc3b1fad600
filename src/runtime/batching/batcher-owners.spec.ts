import { createBatcher, settled } from '../../../test/support/batches.js';
import { OverloadedError } from '../overloaded.error.js';

describe('Batcher with owners', () => {
  it('serves owners who ask for less first, and refuses the one whose turn is last when too many wait', async () => {
    const ownerOf = (item: number) => (item < 10 ? 'one' : item);
    // The first is all of its owner's share.
    const weightOf = (item: number) => (item === 1 ? 20 : 1);
    const { batcher, batches } = createBatcher({ maxInFlight: 1, maxBatchSize: 3, maxWaiting: 5, ownerOf, weightOf });
    const first = batcher.submit(1);
    await settled();
    const crowd = [2, 3, 4, 5].map((item) => batcher.submit(item));
    const others = [11, 12].map((item) => batcher.submit(item));
    await expect(crowd[3]).rejects.toThrow(OverloadedError);
    await expect(batcher.submit(6)).rejects.toThrow(OverloadedError);
    for (const index of [0, 1, 2]) {
      batches[index]?.finish();
      await settled();
    }
    expect(batches.map(({ items }) => items)).toEqual([[1], [11, 12, 2], [3, 4]]);
    expect(await Promise.all([first, ...others, ...crowd.slice(0, 3)])).toHaveLength(6);
  });
});

import { jest } from '@jest/globals';
import { createBatcher, settled } from '../../../test/support/batches.js';

describe('Batcher with young batches', () => {
  // How long a batch is young is told by the test, however slow the machine is.
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['setImmediate', 'queueMicrotask', 'nextTick', 'performance'] }));
  afterEach(() => jest.useRealTimers());

  it('begins a batch beside another only when that takes long, and at once when it has ended', async () => {
    const { batcher, batches } = createBatcher({ maxInFlight: 2, overlapAfterMs: 50 });
    const callers = [batcher.submit(1)];
    await settled();
    callers.push(batcher.submit(2));
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1]]);
    batches[0]?.finish();
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([[1], [2]]);
    callers.push(batcher.submit(3), batcher.submit(4));
    await settled();
    expect(batches).toHaveLength(2);
    jest.advanceTimersByTime(49);
    await settled();
    expect(batches).toHaveLength(2);
    jest.advanceTimersByTime(1);
    expect(batches.map(({ items }) => items)).toEqual([[1], [2], [3, 4]]);
    batches[1]?.finish();
    await settled();
    // The third is young.
    callers.push(batcher.submit(5));
    await settled();
    expect(batches).toHaveLength(3);
    batches[2]?.finish();
    await settled();
    batches[3]?.finish();
    expect(await Promise.all(callers)).toEqual(['did 1', 'did 2', 'did 3', 'did 4', 'did 5']);
  });
});

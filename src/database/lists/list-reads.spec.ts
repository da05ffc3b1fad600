import { useLimits } from '../../../test/support/limits.js';
import { OverloadedError } from '../../runtime/overloaded.error.js';
import { ListReads } from './list-reads.js';

describe('ListReads', () => {
  useLimits({ listsInFlight: 2, readsWaiting: 3, readTurnMs: 20_000 });

  it('runs so many at once, in order of arrival, and brings each outcome to its caller', async () => {
    const lists = new ListReads();
    const running: number[] = [];
    const ends: (() => void)[] = [];
    const read = (id: number) =>
      lists.run(async () => {
        running.push(id);
        await new Promise<void>((resolve) => ends.push(resolve));
        running.splice(running.indexOf(id), 1);
        if (id === 2) throw new Error('broken');
        return `read ${id}`;
      });
    const outcomes = Promise.allSettled([1, 2, 3, 4, 5, 6].map(read));
    await new Promise(setImmediate);
    expect(running).toEqual([1, 2]);
    while (running.length > 0) {
      expect(running.length).toBeLessThanOrEqual(2);
      ends.shift()?.();
      await new Promise(setImmediate);
    }
    expect((await outcomes).map((each) => (each.status === 'fulfilled' ? each.value : String(each.reason)))).toEqual([
      'read 1',
      'Error: broken',
      'read 3',
      expect.stringContaining(new OverloadedError().message),
      expect.stringContaining(new OverloadedError().message),
      expect.stringContaining(new OverloadedError().message),
    ]);
  });
});

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

  it('reads a page once for all who wait for it, and again for those who ask after that has begun', async () => {
    const pages = new ListReads().ofKind<string>();
    const ends: (() => void)[] = [];
    let count = 0;
    const ask = (key: unknown) =>
      pages(key, async () => {
        const place = ++count;
        await new Promise<void>((resolve) => ends.push(resolve));
        return `read ${place}`;
      });
    const first = [ask({ page: 1 }), ask({ page: 1 }), ask({ page: 2 })];
    await new Promise(setImmediate);
    // Both turns are taken, so these wait, together.
    const second = [ask({ page: 1 }), ask({ page: 1 }), ask({ page: 1, owner: 'a' })];
    while (ends.length > 0) {
      ends.shift()?.();
      await new Promise(setImmediate);
    }
    expect(await Promise.all(first)).toEqual(['read 1', 'read 1', 'read 2']);
    expect(await Promise.all(second)).toEqual(['read 3', 'read 3', 'read 4']);
  });

  it('shares no read that was refused or has failed with those who ask later', async () => {
    const lists = new ListReads();
    const pages = lists.ofKind<string>();
    const ends: (() => void)[] = [];
    const others = [1, 2, 3].map(() => lists.run(() => new Promise<void>((resolve) => ends.push(resolve))));
    await expect(pages(1, () => Promise.resolve('read'))).rejects.toThrow(OverloadedError);
    await new Promise(setImmediate);
    for (let turn = 0; turn < others.length; turn++) {
      ends.shift()?.();
      await new Promise(setImmediate);
    }
    await Promise.all(others);
    await expect(pages(1, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    expect(await pages(1, () => Promise.resolve('read'))).toBe('read');
  });
});

import { shared } from './shared.js';

describe('shared work', () => {
  it('is done once for all who ask while it is under way, and again after that', async () => {
    let count = 0;
    const work = shared(async () => {
      await new Promise((resolve) => setImmediate(resolve));
      return ++count;
    });
    expect(await Promise.all([work(), work(), work()])).toEqual([1, 1, 1]);
    expect(await work()).toBe(2);
  });

  it('fails for all of them, and not for those after', async () => {
    let fails = true;
    const work = shared(async () => {
      await Promise.resolve();
      if (fails) throw new Error('no');
      return 'yes';
    });
    const outcomes = await Promise.allSettled([work(), work()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    fails = false;
    expect(await work()).toBe('yes');
  });
});

import { jest } from '@jest/globals';
import { ConnectionWatch } from './connection-watch.js';

const SILENCE_MS = 1_000;

describe('a connection that is watched', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  /** How often it is made anew within so many seconds, by how long its other end takes to answer. */
  async function renewals(seconds: number, answerMs: () => number): Promise<number> {
    let count = 0;
    let current = {};
    const watch = new ConnectionWatch('Test', {
      name: 'The other end',
      silenceMs: SILENCE_MS,
      current: () => current,
      ping: () => new Promise((resolve) => setTimeout(resolve, Math.min(answerMs(), 1_000_000))),
      renew: () => {
        count++;
        current = {};
      },
    });
    watch.start();
    await jest.advanceTimersByTimeAsync(seconds * 1_000);
    watch.stop();
    return count;
  }

  it('is left alone while its other end answers in time', async () => {
    expect(await renewals(60, () => SILENCE_MS - 1)).toBe(0);
  });

  it('is made anew once when its other end is slow, not with each answer that is late', async () => {
    expect(await renewals(60, () => SILENCE_MS + 500)).toBe(1);
  });

  it('is made anew again and again, but less and less often, while nothing comes', async () => {
    // A second between two looks, and 1, 2, 4, 4, … seconds of patience.
    expect(await renewals(60, () => Infinity)).toBe(2 + Math.floor((60 - 5) / 5));
  });

  it('is made anew as soon as at first once its other end was in time again', async () => {
    const begin = performance.now();
    const isSlow = () => performance.now() - begin < 10_000 || performance.now() - begin > 30_000;
    // Late from the beginning on, in time after ten seconds, late after thirty.
    expect(await renewals(60, () => (isSlow() ? SILENCE_MS + 500 : 1))).toBe(2);
  });
});

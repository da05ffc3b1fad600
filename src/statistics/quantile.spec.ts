import { quantile } from './quantile.js';

describe('a quantile of buckets', () => {
  const bounds = [0.1, 1, 10];

  it.each([
    ['lies evenly within its bucket', 0.5, [0, 10, 0, 0], 0.55],
    ['is the upper bound of a bucket that it fills', 1, [10, 0, 0, 0], 0.1],
    ['skips empty buckets', 0.99, [0, 0, 100, 0], 9.91],
    ['is the last bound for what lies above it', 0.99, [0, 0, 0, 5], 10],
    ['is found across buckets', 0.75, [50, 50, 0, 0], 0.55],
  ])('%s', (_rule, share, counts, expected) => {
    expect(quantile(share, counts, bounds)).toBeCloseTo(expected, 6);
  });

  it('is nothing without values', () => {
    expect(quantile(0.99, [0, 0, 0, 0], bounds)).toBeUndefined();
    expect(quantile(0.99, [], bounds)).toBeUndefined();
  });
});

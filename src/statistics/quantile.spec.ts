import { quantile } from './quantile.js';

describe('a quantile of buckets', () => {
  const bounds = [0.1, 1, 10];

  it.each<[string, { share: number; counts: number[]; expected: number }]>([
    ['lies evenly within its bucket', { share: 0.5, counts: [0, 10, 0, 0], expected: 0.55 }],
    ['is the upper bound of a bucket that it fills', { share: 1, counts: [10, 0, 0, 0], expected: 0.1 }],
    ['skips empty buckets', { share: 0.99, counts: [0, 0, 100, 0], expected: 9.91 }],
    ['is the last bound for what lies above it', { share: 0.99, counts: [0, 0, 0, 5], expected: 10 }],
    ['is found across buckets', { share: 0.75, counts: [50, 50, 0, 0], expected: 0.55 }],
  ])('%s', (_rule, { share, counts, expected }) => {
    expect(quantile(share, counts, bounds)).toBeCloseTo(expected, 6);
  });

  it('is nothing without values', () => {
    expect(quantile(0.99, [0, 0, 0, 0], bounds)).toBeUndefined();
    expect(quantile(0.99, [], bounds)).toBeUndefined();
  });
});

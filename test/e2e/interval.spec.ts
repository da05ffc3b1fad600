import { isSlower, isTrustworthy, pairedRatio } from '../../bench/interval.js';

describe('the comparison of two states of the code', () => {
  const rounds = [
    9_000, 12_000, 10_500, 11_000, 8_000, 12_500, 9_700, 10_100, 11_900, 10_000, 9_100, 12_100, 8_800, 10_700, 11_300,
  ];
  /** A machine that changes its speed from round to round, and noise of one percent in each turn. */
  const by = (factor: number) => rounds.map((rate, round) => rate * factor * (1 + (((round * 7) % 5) - 2) / 200));

  it('finds a tenth more or less, however much the machine changes from round to round', () => {
    const ratio = pairedRatio(by(0.9), rounds);
    expect(ratio.low).toBeLessThan(0.9);
    expect(ratio.high).toBeGreaterThan(0.9);
    expect(ratio.high - ratio.low).toBeLessThan(0.02);
    expect([isSlower(ratio), isSlower(pairedRatio(rounds, by(0.9)))]).toEqual([true, false]);
  });

  it('takes a state beside itself for not slower, and trusts it', () => {
    const ratio = pairedRatio(by(1), rounds);
    expect([isSlower(ratio), isTrustworthy(ratio)]).toEqual([false, true]);
    expect(isTrustworthy(pairedRatio(by(0.9), rounds))).toBe(false);
  });

  it('judges by Student of 14 degrees of freedom', () => {
    // Logarithms of 0.1 and -0.1 in turns about 0: t is 2.145, and the deviation that of the fifteen.
    const logs = rounds.map((_, round) => (round % 2 === 0 ? 0.1 : -0.1));
    const mean = 0.1 / 15;
    const deviation = Math.sqrt(logs.reduce((sum, log) => sum + (log - mean) ** 2, 0) / 14);
    const { high } = pairedRatio(
      logs.map(Math.exp),
      logs.map(() => 1),
    );
    expect((Math.log(high) - mean) / (deviation / Math.sqrt(15))).toBeCloseTo(2.145, 2);
  });

  it('does not judge a rate of nothing', () => {
    expect(() => pairedRatio([1, 0], [1, 1])).toThrow('A rate is missing');
    expect(() => pairedRatio([1, 1], [1])).toThrow('A rate is missing');
  });
});

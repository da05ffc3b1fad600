/** A ratio of paired measurements, and the interval in which it lies with a probability of 95 %. */
export interface Ratio {
  estimate: number;
  low: number;
  high: number;
}

/** Not slower is what does not lie wholly below this. */
const SLOWER_BELOW = 0.97;
/** The 97.5 % quantile of the normal distribution. */
const Z = 1.959964;

/** By Student's t on the logarithms of the ratios, one for each round: what slows a whole round down is in neither. */
export function pairedRatio(these: readonly number[], those: readonly number[]): Ratio {
  const logs = these.map((rate, round) => Math.log(rate / (those[round] ?? NaN)));
  if (!logs.every(Number.isFinite)) throw new Error(`A rate is missing: ${these.join()} and ${those.join()}`);
  const freedom = logs.length - 1;
  const center = mean(logs);
  const variance = logs.reduce((sum, log) => sum + (log - center) ** 2, 0) / freedom;
  const margin = quantileOfT(freedom) * Math.sqrt(variance / logs.length);
  return { estimate: Math.exp(center), low: Math.exp(center - margin), high: Math.exp(center + margin) };
}

export function mean(figures: readonly number[]): number {
  return figures.reduce((sum, figure) => sum + figure, 0) / figures.length;
}

/** Whether a process beside itself came out as itself; else the machine was too restless to judge. */
export function isTrustworthy({ low, high }: Ratio): boolean {
  return low <= 1 && high >= 1;
}

export function isSlower({ high }: Ratio): boolean {
  return high < SLOWER_BELOW;
}

/** Of 97.5 %, by the expansion of Cornish and Fisher (Abramowitz and Stegun, 26.7.5): to three digits from 7 degrees on. */
function quantileOfT(freedom: number): number {
  return (
    Z +
    (Z ** 3 + Z) / (4 * freedom) +
    (5 * Z ** 5 + 16 * Z ** 3 + 3 * Z) / (96 * freedom ** 2) +
    (3 * Z ** 7 + 19 * Z ** 5 + 17 * Z ** 3 - 15 * Z) / (384 * freedom ** 3)
  );
}

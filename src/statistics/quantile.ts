/**
 * Estimates a quantile from the counts of buckets, as `histogram_quantile` of Prometheus does: values lie evenly within their bucket.
 *
 * @param bounds upper bounds of all buckets but the last, which has none; ascending.
 * @returns the last bound for what lies above it; `undefined` without values.
 */
export function quantile(share: number, counts: readonly number[], bounds: readonly number[]): number | undefined {
  const total = counts.reduce((sum, count) => sum + count, 0);
  if (total === 0) return undefined;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = bounds[index];
    if (upper === undefined) return bounds.at(-1);
    if (below + count >= share * total && count > 0) {
      const lower = bounds[index - 1] ?? 0;
      return lower + (upper - lower) * ((share * total - below) / count);
    }
    below += count;
  }
  return bounds.at(-1);
}

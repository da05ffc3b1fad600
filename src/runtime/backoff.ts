/** No wait between two attempts is longer. */
export const MAX_BACKOFF_MS = 300_000;

/**
 * The wait after so many attempts (1 and more), in ms: twice as long after each attempt, up to a bound, less a random part of up to
 * a half, so that failures do not come back together.
 *
 * @param firstMs the wait after the first attempt, before the random part is taken off.
 */
export function backoffAfter(attempts: number, firstMs: number): number {
  return Math.round(Math.min(firstMs * 2 ** (attempts - 1), MAX_BACKOFF_MS) * (1 - Math.random() / 2));
}

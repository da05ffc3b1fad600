import { AsyncLocalStorage } from 'node:async_hooks';

/** The moments, as `performance.now` tells them, by which what is being done has to be done. */
const deadlines = new AsyncLocalStorage<number>();

/**
 * Gives everything that `work` starts so many milliseconds together: what waits with a limit of its own waits no longer than what is left
 * of them ({@link remainingMs}). This makes the sum of several waits as short as the budget. A budget inside of another one
 * takes its place.
 */
export function withTimeBudget<T>(milliseconds: number, work: () => T): T {
  return deadlines.run(performance.now() + milliseconds, work);
}

/** What is left of the budget, and never below 0; `Infinity` where there is none, as in a worker. */
export function remainingMs(): number {
  const deadline = deadlines.getStore();
  return deadline === undefined ? Infinity : Math.max(deadline - performance.now(), 0);
}

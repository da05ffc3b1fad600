import { Injectable } from '@nestjs/common';
import { LIMITS } from '../../config/limits.js';
import { fulfilled } from '../../kernel/outcome.js';
import { Batcher } from '../../runtime/batching/batcher.js';
import { withTimeBudget } from '../../runtime/request-context.js';
import { readInBudget } from '../prepared-statement.js';

/** One at a time: what is batched here is turns, and not reads. */
const TURNS = () => ({
  maxBatchSize: 1,
  maxInFlight: LIMITS.listsInFlight,
  maxWaiting: LIMITS.readsWaiting,
  maxWaitMs: LIMITS.readTurnMs,
});

/** Reads a page of a list, or shares the read of those who wait for the same page. */
export type PageRead<T> = (key: unknown, read: () => Promise<T>) => Promise<T>;

/**
 * Turns for reads of lists and searches, some of which are dear: a few run at once, and the others wait. However many are asked for,
 * the other connections of the pool, and most of PostgreSQL's time, are left to sales and to reads of one row.
 */
@Injectable()
export class ListReads {
  private readonly turns = new Batcher<() => Promise<void>, void>(async ([read]) => {
    await read?.();
    return [fulfilled(undefined)];
  }, TURNS());

  /**
   * Turns for one kind of list. Whoever asks for a page that others wait for shares their read, which begins after all of
   * them have asked, and is refused with them when it waits too long. `key` names all that the page depends on, also whose
   * rows it may show.
   */
  ofKind<T>(): PageRead<T> {
    const waiting = new Map<string, Promise<T>>();
    return (key, read) => {
      const page = JSON.stringify(key);
      const others = waiting.get(page);
      if (others !== undefined) return others;
      const leave = () => {
        if (waiting.get(page) === reading) waiting.delete(page);
      };
      const reading = this.run(() => {
        leave();
        return read();
      });
      waiting.set(page, reading);
      // It may not have begun.
      reading.catch(leave);
      return reading;
    };
  }

  /** Runs `read` when it is its turn. @throws OverloadedError when too many wait, or it takes too long; `read` is not run then. */
  async run<T>(read: () => Promise<T>): Promise<T> {
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    const readInTime = () => withTimeBudget(LIMITS.answerMs - LIMITS.readTurnMs, () => readInBudget(read()));
    await this.turns.submit(() => readInTime().then(resolve, reject));
    return promise;
  }
}

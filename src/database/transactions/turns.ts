import pLimit, { type LimitFunction } from 'p-limit';
import { LIMITS } from '../../config/limits.js';
import { withDeadline } from '../../runtime/deadline.js';
import { remainingMs } from '../../runtime/request-context.js';
import { DatabaseUnavailableError } from '../database-errors.js';

/**
 * Lets some work at once, and the others wait in order of arrival. As the pool of connections does, it refuses at once what it could
 * only refuse later.
 */
export class Turns {
  private readonly limit: LimitFunction;
  private grantedAt = 0;

  /** @param size how many work at once. */
  constructor(size: number) {
    this.limit = pLimit(size);
  }

  /** Runs `work` when its turn has come. @throws DatabaseUnavailableError when that is not in time; and what `work` throws. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    this.expectHope();
    const { promise: hasCome, resolve: come } = Promise.withResolvers<undefined>();
    const { promise: isOver, resolve: end } = Promise.withResolvers<undefined>();
    void this.limit(() => {
      this.grantedAt = performance.now();
      come(undefined);
      return isOver;
    });
    try {
      await this.inTime(hasCome);
      return await work();
    } finally {
      end(undefined);
    }
  }

  /** @throws DatabaseUnavailableError */
  private expectHope(): void {
    const { activeCount, pendingCount, concurrency } = this.limit;
    if (activeCount < concurrency || pendingCount === 0) this.grantedAt = performance.now();
    const { connectionsWaiting, connectionStallMs } = LIMITS;
    if (pendingCount < connectionsWaiting && performance.now() - this.grantedAt <= connectionStallMs) return;
    throw new DatabaseUnavailableError(new Error('All connections are in use'));
  }

  private async inTime(coming: Promise<undefined>): Promise<void> {
    const milliseconds = Math.min(LIMITS.connectMs, Math.max(remainingMs() - LIMITS.commitMs, 0));
    await withDeadline(coming, milliseconds).catch((error: unknown) => {
      throw new DatabaseUnavailableError(error);
    });
  }
}

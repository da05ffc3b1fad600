import pLimit, { type LimitFunction } from 'p-limit';
import { LIMITS } from '../../config/limits.js';
import { withDeadline } from '../../runtime/deadline.js';
import { remainingMs } from '../../runtime/request-context.js';
import { ConnectionStall } from '../connection-stall.js';
import { DatabaseUnavailableError } from '../database-errors.js';

/**
 * Lets some work at once, and the others wait in order of arrival. As the pool of connections does, it refuses at once what it could
 * only refuse later.
 */
export class Turns {
  private readonly limit: LimitFunction;
  private readonly stall = new ConnectionStall();

  /** @param size how many work at once. */
  constructor(size: number) {
    this.limit = pLimit(size);
  }

  /** Runs `work` when its turn has come. @throws DatabaseUnavailableError when that is not in time; and what `work` throws. */
  async take<T>(work: () => Promise<T>): Promise<T> {
    const refusal = this.stall.refusalBeside(this.limit.pendingCount);
    if (refusal !== undefined) throw refusal;
    const { promise: hasCome, resolve: come } = Promise.withResolvers<undefined>();
    const { promise: isOver, resolve: end } = Promise.withResolvers<undefined>();
    void this.limit(() => {
      this.stall.noteGrant();
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

  private async inTime(coming: Promise<undefined>): Promise<void> {
    const milliseconds = Math.min(LIMITS.connectMs, Math.max(remainingMs() - LIMITS.commitMs, 0));
    await withDeadline(coming, milliseconds).catch((error: unknown) => {
      throw new DatabaseUnavailableError(error);
    });
  }
}

import { Injectable, type OnApplicationBootstrap } from '@nestjs/common';
import { Log } from '../runtime/log.js';
import { withDeadline } from '../runtime/deadline.js';
import { QueueConnection } from './queue-connection.js';

const REDIS_TIMEOUT_MS = 2_000;

/**
 * Warns when the queue's Redis may throw jobs away: because it is the cache's as well, say, which evicts what is not used. No order is
 * lost by that, for PostgreSQL keeps them; they are late.
 */
@Injectable()
export class EvictionCheck implements OnApplicationBootstrap {
  private readonly logger = new Log(EvictionCheck.name);

  constructor(private readonly connection: QueueConnection) {}

  onApplicationBootstrap(): void {
    void this.check();
  }

  /** Redis may not be there yet, and may not tell: the start does not wait for it. */
  private async check(): Promise<void> {
    try {
      const memory = await withDeadline(this.connection.client.info('memory'), REDIS_TIMEOUT_MS);
      const policy = /^maxmemory_policy:(\S+)/m.exec(memory)?.[1] ?? 'noeviction';
      const limit = Number(/^maxmemory:(\d+)/m.exec(memory)?.[1] ?? 0);
      if (policy === 'noeviction' || limit === 0) return;
      this.logger.warn(
        "The queue's Redis evicts: when it is full it throws jobs away, and their orders are late. " +
          'Give the queue a server of its own with maxmemory-policy noeviction',
        { setting: policy },
      );
    } catch (error) {
      this.logger.debug("The queue's Redis did not tell whether it evicts", { error });
    }
  }
}

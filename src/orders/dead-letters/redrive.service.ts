import { Injectable } from '@nestjs/common';
import { LIMITS } from '../../config/limits.js';
import { recordAction } from '../../actions/action.js';
import { IdempotencyService } from '../../idempotency/idempotency.service.js';
import type { IdempotentRequest, Performed } from '../../idempotency/idempotent-request.js';
import { answeredByQueue } from '../../queue/answered-by-queue.js';
import { ApplicationError } from '../../kernel/application-error.js';
import { storedAsJson } from '../../kernel/stored-json.js';
import { type DeadLetter, DeadLettersService } from './dead-letters.service.js';

/** Which dead letters are meant; all of them without a condition. */
export interface DeadLetterFilter {
  readonly orderIds?: readonly number[] | undefined;
  /** Only what failed before this moment: what has failed since is not what the operator has seen. */
  readonly failedTo?: Date | undefined;
}

/** There are more or fewer than the operator has seen. */
class CountChangedError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'COUNT_CHANGED';
  override readonly members: Readonly<Record<string, number>>;

  constructor(expected: number, count: number) {
    super(`There are ${count} dead letters, expected ${expected}; nothing was done`);
    this.members = { expected_count: expected, count };
  }
}

const storedIds = storedAsJson<readonly number[]>({
  write: (orderIds) => ({ order_ids: orderIds }),
  read: ({ order_ids: orderIds = [] }: { order_ids?: number[] }) => orderIds,
});

/** Dispatches dead letters again for an operator, who has seen how many they are. */
@Injectable()
export class RedriveService {
  constructor(
    private readonly letters: DeadLettersService,
    private readonly idempotency: IdempotencyService,
  ) {}

  /** Newest failure first. */
  async list({ orderIds, failedTo }: DeadLetterFilter): Promise<DeadLetter[]> {
    const ids = orderIds === undefined ? undefined : new Set(orderIds);
    const letters = await this.letters.list(LIMITS.answerMs / 2);
    return letters.filter(
      ({ orderId, failedAt }) => (ids?.has(orderId) ?? true) && (failedTo === undefined || failedAt < failedTo),
    );
  }

  /**
   * Dispatches what the filter meets, and gives how many orders that were. The action is recorded before: if the process dies in between, the orders
   * are still dead letters, and the same request sent again, or a later redrive, dispatches them.
   *
   * @throws CountChangedError when the filter meets more or fewer than `expectedCount`: nothing has changed.
   * @throws QueueUnavailableError
   */
  async redrive(
    filter: DeadLetterFilter,
    expectedCount: number,
    request?: IdempotentRequest,
  ): Promise<Performed<number>> {
    const letters = await this.list(filter);
    const { result: orderIds, isReplayed } = await this.idempotency.run(request, storedIds, async (manager) => {
      if (letters.length !== expectedCount) throw new CountChangedError(expectedCount, letters.length);
      const ids = letters.map(({ orderId }) => orderId);
      await recordAction(manager, 'dead_letters.redriven', { order_ids: ids });
      return ids;
    });
    // What a first try has dispatched is no dead letter any more.
    const meant = letters.filter(({ orderId }) => orderIds.includes(orderId));
    await answeredByQueue(this.letters.redrive(meant), LIMITS.answerMs / 2);
    return { result: orderIds.length, isReplayed };
  }
}

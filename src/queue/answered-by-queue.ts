import { ApplicationError } from '../kernel/application-error.js';
import { withDeadline } from '../runtime/deadline.js';

/** The queue's Redis does not answer. */
class QueueUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'QUEUE_UNAVAILABLE';

  constructor(cause: unknown) {
    super('The queue is not available; try again', { cause });
  }
}

/**
 * Waits for an answer of the queue's Redis: while it is away, BullMQ waits without an end.
 *
 * @throws QueueUnavailableError when there is none in time.
 */
export async function answeredByQueue<T>(answer: Promise<T>, timeoutMs: number): Promise<T> {
  return withDeadline(answer, timeoutMs).catch((error: unknown) => {
    throw new QueueUnavailableError(error);
  });
}

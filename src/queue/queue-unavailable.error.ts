import { ApplicationError } from '../kernel/application-error.js';

/** The queue's Redis does not answer. */
export class QueueUnavailableError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'QUEUE_UNAVAILABLE';

  constructor(cause: unknown) {
    super('The queue is not available; try again', { cause });
  }
}

import { ApplicationError } from '../kernel/application-error.js';

/** The order has come to another end. */
export class OrderNotCancellableError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'ORDER_NOT_CANCELLABLE';

  constructor(id: number, status: string) {
    super(`Order with ID ${id} is ${status} and can no longer be cancelled`);
  }
}

export class OrderNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'ORDER_NOT_FOUND';

  constructor(id: number) {
    super(`Order with ID ${id} not found`);
  }
}

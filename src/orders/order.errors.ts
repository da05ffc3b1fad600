import { ApplicationError } from '../kernel/application-error.js';

/** Fewer units are left than were asked for. `product` is named when the order asked for several. */
export class InsufficientStockError extends ApplicationError {
  readonly kind = 'rejected';
  readonly code = 'INSUFFICIENT_STOCK';

  constructor(available: number, requested: number, product?: number) {
    const subject = product === undefined ? 'Insufficient stock' : `Insufficient stock for product ${product}`;
    super(`${subject}. Available: ${available}, Requested: ${requested}`);
  }
}

/** The total does not fit `orders.total_price`. */
export class OrderTotalTooLargeError extends ApplicationError {
  readonly kind = 'invalid';
  readonly code = 'ORDER_TOTAL_TOO_LARGE';

  constructor(maximum: string) {
    super(`The total of an order must not be above ${maximum}; split it into several orders`);
  }
}

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

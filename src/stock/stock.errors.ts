import { ApplicationError } from '../kernel/application-error.js';

export class ProductNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'PRODUCT_NOT_FOUND';

  constructor(id: number) {
    super(`Product with ID ${id} not found`);
  }
}

/** Fewer units are left than were asked for. `product` is named when several were asked for. */
export class InsufficientStockError extends ApplicationError {
  readonly kind = 'rejected';
  readonly code = 'INSUFFICIENT_STOCK';

  constructor(available: number, requested: number, product?: number) {
    const subject = product === undefined ? 'Insufficient stock' : `Insufficient stock for product ${product}`;
    super(`${subject}. Available: ${available}, Requested: ${requested}`);
  }
}

/** The customer has as many units of the product, bought and held, as one may have. */
export class CustomerLimitError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'CUSTOMER_LIMIT';
  override readonly members: { readonly limit: number; readonly bought: number };

  constructor(productId: number, { limit, bought }: { readonly limit: number; readonly bought: number }) {
    super(`Of product ${productId} a customer may have ${limit}, and this one has ${bought}`);
    this.members = { limit, bought };
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

/** The adjustment would leave a stock below zero, or above what the column holds. */
export class StockOutOfRangeError extends ApplicationError {
  readonly kind = 'rejected';
  readonly code = 'STOCK_OUT_OF_RANGE';

  constructor(stock: number, delta: number, maximum: number) {
    super(`A stock of ${stock} cannot be adjusted by ${delta}: it must stay between 0 and ${maximum}`);
  }
}

/** The stock has changed since the caller looked. */
export class StockConflictError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'STOCK_CONFLICT';

  override readonly members: { readonly stock: number };

  constructor(expected: number, stock: number) {
    super(`Stock is ${stock}, expected ${expected}`);
    this.members = { stock };
  }
}

import { ApplicationError } from '../kernel/application-error.js';

/** The adjustment would leave a stock below zero, or above what the column holds. */
export class StockOutOfRangeError extends ApplicationError {
  readonly kind = 'rejected';
  readonly code = 'STOCK_OUT_OF_RANGE';

  constructor(stock: number, delta: number, maximum: number) {
    super(`A stock of ${stock} cannot be adjusted by ${delta}: it must stay between 0 and ${maximum}`);
  }
}

/** Somebody changed the stock since the caller looked. */
export class StockConflictError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'STOCK_CONFLICT';

  override readonly members: { readonly stock: number };

  constructor(expected: number, stock: number) {
    super(`Stock is ${stock}, expected ${expected}`);
    this.members = { stock };
  }
}

/** An order as its gateway gets it. Amounts are whole cents. */
export interface FulfilmentOrder {
  readonly id: number;
  readonly totalPrice: bigint;
  /** By product id, ascending. */
  readonly items: readonly FulfilmentItem[];
  readonly createdAt: Date;
}

export interface FulfilmentItem {
  readonly productId: number;
  readonly quantity: number;
  /** At the moment of purchase. */
  readonly unitPrice: bigint;
}

/** What an external call is given beside the order. */
export interface FulfilmentOptions {
  /** The same for every call for the order, `fulfil` and `cancel` alike: a provider that knows it does nothing twice. */
  readonly key: string;
  /**
   * Aborted at the deadline (`FULFILMENT_TIMEOUT_MS`), after which nobody waits for the call, and when the order is cancelled while
   * the call is under way.
   */
  readonly signal: AbortSignal;
  /** The `X-Request-Id` of the purchase, for the provider's own logs; absent for an order of a release before 1.1. */
  readonly requestId?: string;
  /** The span of this call (https://www.w3.org/TR/trace-context/), for the header of that name; absent when the order is not traced. */
  readonly traceparent?: string;
}

/** What came of a call. */
export interface FulfilmentResult {
  readonly outcome: 'done';
}

/** The port to the provider that fulfils orders: payment, shipping. Any object with these two methods is a gateway. */
export abstract class FulfilmentGateway {
  /**
   * Fulfils an order. It may be called again for the same order, after a crash for instance, and the order may be cancelled while
   * the call is under way.
   *
   * @throws PermanentFulfilmentError when the provider has refused the order and done nothing: the order fails at once.
   * @throws anything else when it cannot be fulfilled now: it is tried again with backoff until its attempts are used up.
   */
  abstract fulfil(order: FulfilmentOrder, options: FulfilmentOptions): Promise<FulfilmentResult>;

  /**
   * Undoes whatever was done for an order that has ended otherwise, or resolves when there is nothing to undo. It is called when no
   * call of `fulfil` for the order is under way any more, and again, with backoff and without end, until it resolves.
   */
  abstract cancel(order: FulfilmentOrder, options: FulfilmentOptions): Promise<void>;
}

/** A card that is declined, an address that does not exist: the order fails at once, and its stock is released. */
export class PermanentFulfilmentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PermanentFulfilmentError';
  }
}

/** By its name: a plug-in may have a copy of the package of its own. */
export function isPermanent(error: unknown): boolean {
  return error instanceof Error && error.name === 'PermanentFulfilmentError';
}

/** What an external call is given beside the order. */
export interface FulfilmentOptions {
  /** The same for every call for the order: a provider that knows it does nothing twice. */
  readonly idempotencyKey: string;
  /**
   * Aborted at the deadline (`FULFILMENT_TIMEOUT_MS`), after which nobody waits for the call, and when the order is cancelled
   * while the call is under way: then what it does all the same is noted in the events of the order.
   */
  readonly signal: AbortSignal;
}

/** The external call of order processing: a payment or shipping provider. */
export abstract class FulfilmentGateway {
  /**
   * Fulfils an order. It may be called again for the same order, after a crash for instance, and an order may be cancelled while
   * it is under way.
   *
   * @throws PermanentFulfilmentError when the order cannot be fulfilled at all.
   * @throws anything else when it cannot be now; it is tried again with backoff until its attempts are used up.
   */
  abstract fulfil(orderId: number, options: FulfilmentOptions): Promise<void>;
}

/** A card that is declined, an address that is none: the order fails at once, and its stock goes back. */
export class PermanentFulfilmentError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'PermanentFulfilmentError';
  }
}

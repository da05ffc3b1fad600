/** The external call of order processing: a payment or shipping provider. */
export abstract class FulfilmentGateway {
  /**
   * Fulfils an order. It may be called again for the same order, after a crash for instance, so an implementation
   * passes `orderId` on as its idempotency key.
   *
   * @throws when the order cannot be fulfilled now; it is tried again with backoff until its attempts are used up.
   */
  abstract fulfil(orderId: number): Promise<void>;
}

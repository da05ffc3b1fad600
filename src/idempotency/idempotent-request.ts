/** A request that its client may send again: sent twice, it is done once. */
export interface IdempotentRequest {
  /** 1 to 255 printable characters, unique to what the client wants done. */
  readonly key: string;
  /** Of method, path and body, by which another use of the key is known. */
  readonly fingerprint: string;
}

/** What such a request was answered: a body as JSON text, or the order that it made. */
export interface KeptOutcome {
  readonly text?: string;
  readonly orderId?: number;
}

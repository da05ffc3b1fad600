/** A request that its client may send again: sent twice, it is done once. */
export interface IdempotentRequest {
  /** 1 to 255 printable characters, unique to what the client wants done. `"K"` and `K` are the key K. */
  readonly key: string;
  /** The key in quotes, as a structured field has it (RFC 8941, section 3.3.3). */
  readonly quotedKey: string;
  /** The form of the two that the client has sent. It is stored, because processes of the release before look for that form alone. */
  readonly sentKey: string;
  /** Digest of method, path and body; it shows that a key is used for a different request. */
  readonly fingerprint: string;
}

/** What a request came to that succeeded: its result in its stored form, or the row that it made. */
export interface KeptOutcome {
  readonly text?: string;
  readonly orderId?: number;
  readonly reservationId?: number;
}

/** The result of a request that may have been sent before. */
export interface Performed<T> {
  readonly result: T;
  /** An earlier request has had the result. */
  readonly isReplayed: boolean;
}

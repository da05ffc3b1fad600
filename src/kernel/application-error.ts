import type { ErrorCode } from './error-codes.js';

/**
 * What an error means to whoever asked, without a word of HTTP, so that a worker can throw it as well:
 * `rejected` the request is well-formed and the state refuses it; `not_found` what it names is not there; `conflict` it is
 * too late, or somebody else is at it; `changed` what the caller has seen is no longer so; `invalid` the request itself is wrong;
 * `unavailable` a dependency cannot serve it now, try again.
 */
export type ErrorKind = 'rejected' | 'not_found' | 'conflict' | 'changed' | 'invalid' | 'unavailable';

/** An expected outcome that is not a success: a fact with a machine-readable code and a sentence for a person. */
export abstract class ApplicationError extends Error {
  abstract readonly kind: ErrorKind;
  /** Stable, in capitals, e.g. `INSUFFICIENT_STOCK`. */
  abstract readonly code: ErrorCode;
  /** Facts for a program, beside the sentence; they stand in the problem details by their names. */
  readonly members: Readonly<Record<string, number>> = {};
  /** The outcome of an earlier request, told again. */
  readonly isReplayed: boolean = false;

  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = new.target.name;
  }
}

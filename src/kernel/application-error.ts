import type { ErrorCode } from './error-codes.js';

/**
 * What an error means to the caller, without a word of HTTP, so that a worker can throw it as well. `http/problems` maps it to a
 * status.
 */
export type ErrorKind =
  /** The request is well-formed, and the state refuses it. */
  | 'rejected'
  /** The caller has not said who they are. */
  | 'unauthenticated'
  /** The caller may not do this. */
  | 'forbidden'
  /** What it names is not there. */
  | 'not_found'
  /** It is too late, or another request is at it. */
  | 'conflict'
  /** What the caller has seen is no longer so. */
  | 'changed'
  /** What it names was there, and will not be again. */
  | 'gone'
  /** The request itself is wrong. */
  | 'invalid'
  /** It is too much; try again later. */
  | 'limited'
  /** A dependency cannot serve it now; try again. */
  | 'unavailable';

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

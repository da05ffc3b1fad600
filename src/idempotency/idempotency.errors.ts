import { ValidationError } from '../kernel/validation-error.js';
import { ApplicationError, type ErrorKind } from '../kernel/application-error.js';
import type { ErrorCode } from '../kernel/error-codes.js';

/** The key was used for something else before. */
export class IdempotencyKeyReusedError extends ApplicationError {
  readonly kind = 'invalid';
  readonly code = 'IDEMPOTENCY_KEY_REUSED';

  constructor() {
    super('This Idempotency-Key was used for another request; use a new one');
  }
}

/** The first request with the key has not come to its end. */
export class IdempotencyKeyInUseError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'IDEMPOTENCY_KEY_IN_USE';

  constructor() {
    super('A request with this Idempotency-Key is still being worked on; send it again in a moment');
  }
}

/** Somebody has used the key already. Never told to a client: what the key was used for is looked up, and is the answer. */
export class KeyTakenError extends Error {}

/** What made a request fail for good, as it is kept. */
export interface KeptError {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  readonly message: string;
  readonly members: Readonly<Record<string, number>>;
}

/** The refusal that the first request with the key was given. */
export class ReplayedError extends ApplicationError {
  readonly kind: ErrorKind;
  readonly code: ErrorCode;
  override readonly members: KeptError['members'];
  override readonly isReplayed = true;

  constructor({ kind, code, message, members }: KeptError) {
    super(message);
    this.members = members;
    this.kind = kind;
    this.code = code;
  }
}

/** What may be otherwise the next time is not kept, nor what is wrong with the request itself: it is told again, and mended. */
export function isFinal(error: unknown): error is ApplicationError {
  return error instanceof ApplicationError && error.kind !== 'unavailable' && !(error instanceof ValidationError);
}

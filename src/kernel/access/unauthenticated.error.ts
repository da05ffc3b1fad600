import { ApplicationError } from '../application-error.js';

/** The caller has not said who they are, or not so that it can be believed. */
export class UnauthenticatedError extends ApplicationError {
  readonly kind = 'unauthenticated';
  readonly code = 'UNAUTHENTICATED';

  /** @param isGuess whether it may have been a try to find what lets in; what was good once is none. */
  constructor(
    message: string,
    readonly isGuess = true,
  ) {
    super(message);
  }
}

import { ApplicationError } from '../application-error.js';

/** The caller has not said who they are, or not so that it can be believed. */
export class UnauthenticatedError extends ApplicationError {
  readonly kind = 'unauthenticated';
  readonly code = 'UNAUTHENTICATED';
}

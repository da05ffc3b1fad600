import { ApplicationError } from '../application-error.js';

/** The caller may not do this. */
export class ForbiddenError extends ApplicationError {
  readonly kind = 'forbidden';
  readonly code = 'FORBIDDEN';
}

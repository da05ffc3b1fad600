import { ApplicationError } from '../application-error.js';

/** The caller has to wait. */
export class TooManyRequestsError extends ApplicationError {
  readonly kind = 'limited';
  readonly code = 'RATE_LIMITED';

  /** @param waitSeconds whole seconds. */
  constructor(
    message: string,
    readonly waitSeconds: number,
  ) {
    super(`${message}; try again in ${waitSeconds} s`);
  }
}

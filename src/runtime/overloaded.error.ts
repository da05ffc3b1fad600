import { ApplicationError } from '../kernel/application-error.js';

/** More is asked for than can be done in time. Nothing has been done for the request that gets it. */
export class OverloadedError extends ApplicationError {
  readonly kind = 'unavailable';
  readonly code = 'OVERLOADED';

  constructor() {
    super('Too many requests are waiting; try again');
  }
}

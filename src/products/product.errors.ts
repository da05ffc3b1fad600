import { ApplicationError } from '../kernel/application-error.js';

/** The product is not what the caller has seen. */
export class ProductChangedError extends ApplicationError {
  readonly kind = 'changed';
  readonly code = 'PRECONDITION_FAILED';

  constructor() {
    super('It was changed since: read it again, and send its new ETag in If-Match');
  }
}

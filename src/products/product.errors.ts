import { ApplicationError } from '../kernel/application-error.js';

/** The product is not what the caller has seen. */
export class ProductChangedError extends ApplicationError {
  readonly kind = 'changed';
  readonly code = 'PRECONDITION_FAILED';

  constructor() {
    super('It was changed since: read it again, and send its new ETag in If-Match');
  }
}

/** A weak tag may stand for several texts, so it cannot say which state a change is meant for (RFC 9110, section 13.1.1). */
export class WeakPreconditionError extends ApplicationError {
  readonly kind = 'changed';
  readonly code = 'PRECONDITION_FAILED';

  constructor() {
    super(
      'A weak ETag never matches in If-Match: send the ETag without the W/ in front, as a proxy may have put it there',
    );
  }
}

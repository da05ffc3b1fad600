import { ApplicationError } from './application-error.js';

/** One thing that is wrong with a request: `field` is a path such as `items.0.quantity`, or `body`. */
export interface FieldError {
  field: string;
  message: string;
}

/** Problems that the summary tells; the list has all. */
const MAX_TOLD = 5;

/** The request is not valid; `errors` holds every problem, never only the first. */
export class ValidationError extends ApplicationError {
  readonly kind = 'invalid';
  readonly code = 'VALIDATION_ERROR';

  constructor(readonly errors: readonly FieldError[]) {
    super(summaryOf(errors));
  }
}

function summaryOf(errors: readonly FieldError[]): string {
  const told = errors.slice(0, MAX_TOLD).map(({ message }) => message);
  const more = errors.length - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more, see errors`] : [])].join('; ');
}

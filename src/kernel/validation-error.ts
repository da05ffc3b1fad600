import { ApplicationError } from './application-error.js';

/** One thing that is wrong with a request: `field` is a path such as `items.0.quantity`, or `body`. */
export interface FieldError {
  field: string;
  message: string;
}

/** Problems that the summary tells; the list has more. */
const MAX_TOLD = 5;
/** Problems that the list has at most. */
export const MAX_ERRORS = 100;
/** Characters of a field's name, and of a message, that are sent back: what a client sends may be a megabyte. */
export const MAX_ECHOED = 200;

/** The request is not valid; `errors` holds up to {@link MAX_ERRORS} problems, never only the first. */
export class ValidationError extends ApplicationError {
  readonly kind = 'invalid';
  readonly code = 'VALIDATION_ERROR';

  readonly errors: readonly FieldError[];

  constructor(errors: readonly FieldError[]) {
    const told = errors
      .slice(0, MAX_ERRORS)
      .map(({ field, message }) => ({ field: cut(field), message: cut(message) }));
    super(summaryOf(told, errors.length));
    this.errors = told;
  }
}

function cut(text: string): string {
  return text.length <= MAX_ECHOED ? text : `${text.slice(0, MAX_ECHOED).toWellFormed()}…`;
}

function summaryOf(errors: readonly FieldError[], count: number): string {
  const told = errors.slice(0, MAX_TOLD).map(({ message }) => message);
  const more = count - told.length;
  return [...told, ...(more > 0 ? [`and ${more} more, see errors`] : [])].join('; ');
}

import { Body, Query, ValidationPipe } from '@nestjs/common';
import { ValidationError } from '../../kernel/validation-error.js';

/**
 * Bound to the parameters that are validated and not to the application: a pipe of the application runs for ids and keys as
 * well, does nothing to them, and costs as much as the rest of a read from the cache.
 */
const VALIDATION = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  exceptionFactory: (errors) => ValidationError.fromTree(errors),
});

/** The body as the parameter's class; what the class does not know is refused, with all else that is wrong. */
export function ValidBody(): ParameterDecorator {
  return Body(VALIDATION);
}

/** The same of the query. */
export function ValidQuery(): ParameterDecorator {
  return Query(VALIDATION);
}

import { Body, Query, ValidationPipe, type ValidationError as InvalidProperty } from '@nestjs/common';
import { type FieldError, ValidationError } from '../../kernel/validation-error.js';

/**
 * Bound to the parameters that are validated and not to the application: a pipe of the application runs for ids and keys as
 * well, does nothing to them, and costs as much as the rest of a read from the cache.
 */
const VALIDATION = new ValidationPipe({
  transform: true,
  whitelist: true,
  forbidNonWhitelisted: true,
  forbidUnknownValues: true,
  exceptionFactory: (tree) => new ValidationError(tree.flatMap((node) => flatten(node, ''))),
});

/** The body as the parameter's class; what the class does not know is refused, with all else that is wrong. */
export function ValidBody(): ParameterDecorator {
  return Body(VALIDATION);
}

/** The same of the query. */
export function ValidQuery(): ParameterDecorator {
  return Query(VALIDATION);
}

/** The tree that class-validator reports as a list, each field with its path. */
function flatten(node: InvalidProperty, parent: string): FieldError[] {
  const field = parent === '' ? node.property : `${parent}.${node.property}`;
  const own = Object.values(node.constraints ?? {}).map((message) => ({ field, message }));
  return [...own, ...(node.children ?? []).flatMap((child) => flatten(child, field))];
}

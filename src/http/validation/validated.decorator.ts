import { Body, Query, ValidationPipe, type ValidationError as InvalidProperty } from '@nestjs/common';
import { type FieldError, ValidationError } from '../../kernel/validation-error.js';

/**
 * Bound to the parameters that are validated and not to the application: a pipe of the application runs for ids and keys as
 * well, does nothing to them, and costs as much as the rest of a read from the cache.
 */
const OPTIONS = {
  transform: true,
  whitelist: true,
  forbidUnknownValues: true,
  exceptionFactory: (tree: InvalidProperty[]) => new ValidationError(tree.flatMap((node) => flatten(node, ''))),
};
const BODY = new ValidationPipe({ ...OPTIONS, forbidNonWhitelisted: true });
const QUERY = new ValidationPipe(OPTIONS);

/** The body as the parameter's class; what the class does not know is refused, with all else that is wrong. */
export function ValidBody(): ParameterDecorator {
  return Body(BODY);
}

/** The same of the query, in which what the class does not know is ignored. */
export function ValidQuery(): ParameterDecorator {
  return Query(QUERY);
}

/** The tree that class-validator reports as a list, each field with its path. */
function flatten(node: InvalidProperty, parent: string): FieldError[] {
  const field = parent === '' ? node.property : `${parent}.${node.property}`;
  const own = Object.values(node.constraints ?? {}).map((message) => ({ field, message }));
  return [...own, ...(node.children ?? []).flatMap((child) => flatten(child, field))];
}

import { getMetadataStorage, validateSync, type ValidatorOptions } from 'class-validator';
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
rememberRules();

/** Nothing that is validated here waits for anything, and promises cost more than the rules. */
class SynchronousValidationPipe extends ValidationPipe {
  protected override validate(object: object, options?: ValidatorOptions): InvalidProperty[] {
    return validateSync(object, options);
  }
}

const BODY = new SynchronousValidationPipe({ ...OPTIONS, forbidNonWhitelisted: true });
const QUERY = new SynchronousValidationPipe(OPTIONS);

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

/** class-validator puts the rules of a class together each time; they are all there before the first request, and stay as they are. */
function rememberRules(): void {
  const storage = getMetadataStorage();
  const gather = storage.getTargetValidationMetadatas.bind(storage);
  const remembered = new Map<unknown, ReturnType<typeof gather>>();
  storage.getTargetValidationMetadatas = (...asked) => {
    const [target, ...options] = asked;
    // Schemas and groups are not used here; a plug-in may.
    if (options.some((option) => option !== undefined && option !== false)) return gather(...asked);
    const rules = remembered.get(target) ?? gather(...asked);
    remembered.set(target, rules);
    return rules;
  };
}

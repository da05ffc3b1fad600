import { type ArgumentMetadata, Body, type PipeTransform, Query } from '@nestjs/common';
import { plainToInstance } from 'class-transformer';
import {
  getMetadataStorage,
  validateSync,
  type ValidationError as InvalidProperty,
  type ValidatorOptions,
} from 'class-validator';
import { type FieldError, ValidationError } from '../../kernel/validation-error.js';
import { isAccepted } from './acceptance.js';

rememberRules();

/**
 * Makes an instance of the parameter's class, by its rules. What Nest's own pipe guards against before that cannot come here: a
 * body is an object of JSON, and neither it nor a query has names that every object has by inheritance. Nothing here waits for
 * anything, and promises cost more than the rules.
 *
 * Bound to the parameters that are validated and not to the application: a pipe of the application runs for ids and keys as
 * well, does nothing to them, and costs as much as the rest of a read from the cache.
 */
class Validation implements PipeTransform<object | undefined, object> {
  constructor(private readonly options: ValidatorOptions) {}

  /** @throws ValidationError */
  transform(value: object | undefined, { metatype }: ArgumentMetadata): object {
    if (metatype === undefined) throw new Error('What is validated has no class');
    const instance: object = plainToInstance<object, object>(metatype, value ?? {});
    if (isAccepted(instance)) return instance;
    const errors = validateSync(instance, this.options);
    if (errors.length > 0) throw new ValidationError(errors.flatMap((error) => flatten(error, '')));
    return instance;
  }
}

const BODY = new Validation({ whitelist: true, forbidNonWhitelisted: true, forbidUnknownValues: true });
const QUERY = new Validation({ whitelist: true, forbidUnknownValues: true });

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

/**
 * class-validator puts the rules of a class together each time that it says what is wrong with a body. They are all there before the
 * first request, and stay as they are.
 */
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

import { LIMITS } from '../../config/limits.js';
import { ValidationError } from '../../kernel/validation-error.js';

/** An order of 100 items, the largest body of the contract, holds 301 values in 3 levels. */
const { bodyValues: MAX_VALUES, bodyLevels: MAX_DEPTH } = LIMITS;

/**
 * Refuses what is cheap to send and dear to validate, before anything is built from it: a body of too many values or
 * too many levels, and names that every object has by inheritance and that would pass for known.
 *
 * @throws ValidationError
 */
export function guardBody(body: object): void {
  let level: object[] = [body];
  let values = 0;
  for (let depth = 1; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) refuse('body', `body must not be nested deeper than ${MAX_DEPTH} levels`);
    const next: object[] = [];
    for (const parent of level) {
      const children: unknown[] = Object.values(parent);
      values += children.length;
      if (values > MAX_VALUES) refuse('body', `body must not hold more than ${MAX_VALUES} values`);
      if (!Array.isArray(parent)) guardNames(parent);
      for (const child of children) if (typeof child === 'object' && child !== null) next.push(child);
    }
    level = next;
  }
}

/**
 * Refuses names such as `constructor`, which validation takes for a property of every class.
 *
 * @throws ValidationError
 */
function guardNames(parent: object): void {
  const names = Object.keys(parent).filter((name) => name in Object.prototype);
  if (names.length > 0) {
    throw new ValidationError(names.map((name) => ({ field: name, message: `property ${name} should not exist` })));
  }
}

/** Takes the same names out of a query, in which what is not known is ignored. */
export function forgetNames(query: object): void {
  for (const name of Object.keys(query)) if (name in Object.prototype) Reflect.deleteProperty(query, name);
}

function refuse(field: string, message: string): never {
  throw new ValidationError([{ field, message }]);
}

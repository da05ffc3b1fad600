import { LIMITS } from '../../config/limits.js';
import { ValidationError } from '../../kernel/validation-error.js';

/** An order of 100 items, the largest body of the contract, holds 301 values in 3 levels. */
const { bodyValues: MAX_VALUES, bodyLevels: MAX_DEPTH } = LIMITS;

const [QUOTE, BACKSLASH, COMMA, LIST, OBJECT, END_OF_LIST, END_OF_OBJECT] = Buffer.from('"\\,[{]}');

/**
 * Refuses what is cheap to send and dear to parse, before it is parsed: a body of 1 MiB that is nothing but brackets takes the
 * parser 0.1 s, in which nobody else is served. There are at least as many values as commas; {@link guardBody} counts each.
 *
 * @throws ValidationError
 */
export function guardBytes(bytes: Buffer): void {
  // A shorter one cannot hold more.
  if (bytes.length <= MAX_VALUES) return;
  let depth = 0;
  let commas = 0;
  let isText = false;
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at];
    if (isText) {
      if (byte === BACKSLASH) at++;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) isText = true;
    else if (byte === COMMA) commas++;
    else if (byte === LIST || byte === OBJECT) depth++;
    else if (byte === END_OF_LIST || byte === END_OF_OBJECT) depth--;
    if (depth > MAX_DEPTH) refuseDepth();
    if (commas >= MAX_VALUES) refuseValues();
  }
}

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
    if (depth > MAX_DEPTH) refuseDepth();
    const next: object[] = [];
    for (const parent of level) {
      const children: unknown[] = Object.values(parent);
      values += children.length;
      if (values > MAX_VALUES) refuseValues();
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

function refuseDepth(): never {
  refuse(`body must not be nested deeper than ${MAX_DEPTH} levels`);
}

function refuseValues(): never {
  refuse(`body must not hold more than ${MAX_VALUES} values`);
}

function refuse(message: string): never {
  throw new ValidationError([{ field: 'body', message }]);
}

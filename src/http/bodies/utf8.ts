import { isUtf8 } from 'node:buffer';
import { ValidationError } from '../../kernel/validation-error.js';

const BYTES = /(?:%[0-9a-f]{2})+/gi;

/**
 * The text of a body, which is never changed on the way: bytes that are no UTF-8 would all become the same character.
 *
 * @throws ValidationError
 */
export function decodeBody(bytes: Buffer): string {
  if (!isUtf8(bytes)) throw new ValidationError([{ field: 'body', message: 'body must be encoded as UTF-8' }]);
  return bytes.toString('utf8');
}

/**
 * Refuses a query whose bytes are no UTF-8. A `%` that encodes nothing is a plain character.
 *
 * @throws ValidationError
 */
export function guardQuery(url: string): void {
  const query = url.slice(url.indexOf('?') + 1);
  for (const [bytes] of query.matchAll(BYTES)) {
    if (!isUtf8(Buffer.from(bytes.replaceAll('%', ''), 'hex'))) {
      throw new ValidationError([{ field: 'query', message: 'query must be percent-encoded UTF-8' }]);
    }
  }
}

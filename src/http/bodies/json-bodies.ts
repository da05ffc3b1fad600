import type { FastifyInstance, FastifyRequest } from 'fastify';
import { ValidationError } from '../../kernel/validation-error.js';
import { guardBody, guardBytes } from './body-guard.js';
import { decodeBody } from './utf8.js';

/** `application/json` and everything that is JSON by its suffix, e.g. `application/merge-patch+json`. */
const JSON_TYPE = /^application\/([\w.+-]+\+)?json(;|$)/i;
/** Of a type that declares UTF-8, or declares nothing. */
const UTF8_TYPE = /^(?!.*;\s*charset\s*=)|;\s*charset\s*=\s*"?utf-?8"?\s*(;|$)/i;

/** A body is a JSON object, in UTF-8; everything else is refused. */
export function acceptOnlyJson(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  // A body of length 0 is no body, whatever its type is, and also when it comes in chunks.
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes: Buffer, done) => {
    done(bytes.length === 0 ? null : unsupported(), undefined);
  });
  server.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0) {
      done(null, undefined);
      return;
    }
    let text: string;
    try {
      text = textOf(request, bytes);
    } catch (error) {
      done(toError(error));
      return;
    }
    void parseJson(request, text, (error, value: unknown) => {
      if (error !== null) done(invalidBody('body must be valid JSON'));
      else if (!isObject(value)) done(invalidBody('body must be a JSON object'));
      else
        done(
          failureOf(() => guardBody(value)),
          value,
        );
    });
  });
}

/** @throws an error of status 415 for another charset or an encoded body, ValidationError for too much of it or for no UTF-8. */
function textOf({ headers }: FastifyRequest, bytes: Buffer): string {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity' || !UTF8_TYPE.test(headers['content-type'] ?? '')) {
    throw unsupported();
  }
  guardBytes(bytes);
  return decodeBody(bytes);
}

function unsupported(): Error {
  return Object.assign(new Error('Unsupported media type'), { statusCode: 415 });
}

function invalidBody(message: string): ValidationError {
  return new ValidationError([{ field: 'body', message }]);
}

/** What `check` throws. */
export function failureOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return toError(error);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

export function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

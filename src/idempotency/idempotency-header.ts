import { hash } from 'node:crypto';
import { applyDecorators } from '@nestjs/common';
import { ApiHeader } from '@nestjs/swagger';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApiProblem } from '../http/problems/api-problem.decorator.js';
import { ValidationError } from '../kernel/validation-error.js';
import { IdempotencyKeyInUseError } from './idempotency.errors.js';
import type { IdempotentRequest, Performed } from './idempotent-request.js';

const HEADER = 'Idempotency-Key';
const NAME = 'idempotency-key';
export const MAX_KEY_LENGTH = 255;
const PRINTABLE = new RegExp(`^[ -~]{1,${MAX_KEY_LENGTH}}$`);
/** A string as structured fields write it: `"` and `\` in it stand behind a `\`. */
const QUOTED = /^"(?:[^"\\]|\\["\\])*"$/;
const ESCAPED = /\\(["\\])/g;
const TO_ESCAPE = /["\\]/g;

/**
 * The request as one that may be sent again, when it has the header `Idempotency-Key` (draft-ietf-httpapi-idempotency-key-header).
 *
 * @throws ValidationError
 */
export function idempotentRequestOf(request: FastifyRequest): IdempotentRequest | undefined {
  const sentKey = headerOf(request);
  if (sentKey === undefined) return undefined;
  const key = sentKey.startsWith('"') && QUOTED.test(sentKey) ? sentKey.slice(1, -1).replace(ESCAPED, '$1') : sentKey;
  if (!PRINTABLE.test(key)) refuse(`${HEADER} must be 1 to ${MAX_KEY_LENGTH} printable characters of ASCII`);
  const { method, url, body } = request;
  const [path = url] = url.split('?', 1);
  const asked = `${method} ${path.endsWith('/') ? path.slice(0, -1) : path}`;
  const fingerprint = hash('sha256', `${asked}\n${JSON.stringify(isSorted(body) ? body : sorted(body))}`, 'base64url');
  const quotedKey = `"${key.replace(TO_ESCAPE, '\\$&')}"`;
  const { actor } = request.caller;
  // A key belongs to its caller: no key holds a line feed, so none is another caller's.
  const own = (text: string) => (actor === null ? text : `${actor}\n${text}`);
  return { key: own(key), quotedKey: own(quotedKey), sentKey: own(sentKey), fingerprint };
}

/** Node.js joins what is sent twice to one text, which would be a key of its own. */
function headerOf({ headers, raw }: FastifyRequest): string | undefined {
  const joined = headers[NAME];
  if (joined === undefined) return undefined;
  if (typeof joined === 'string' && !joined.includes(',')) return joined;
  const lines = raw.headersDistinct[NAME] ?? [];
  if (lines.length !== 1) refuse(`${HEADER} must be sent once`);
  return lines[0];
}

function refuse(message: string): never {
  throw new ValidationError([{ field: HEADER, message }]);
}

const REPLAYED_HEADER = 'Idempotent-Replayed';

/** Documents the header of {@link resultOf}. */
export const REPLAYED = {
  [REPLAYED_HEADER]: { schema: { type: 'string' as const }, description: '`true` when it was answered before' },
};

/** The result of a request, for its controller to render; a header tells that an earlier request has had it. */
export function resultOf<T>(reply: FastifyReply, { result, isReplayed }: Performed<T>): T {
  if (isReplayed) reply.header(REPLAYED_HEADER, 'true');
  return result;
}

/**
 * Documents {@link idempotentRequestOf}. If the route documents a 409 of its own, put that decorator above this one: the upper
 * one wins.
 */
export function ApiIdempotencyKey(instance: string): MethodDecorator {
  const { code, message } = new IdempotencyKeyInUseError();
  return applyDecorators(
    ApiHeader({
      name: HEADER,
      required: false,
      description:
        'Makes the request safe to send again: the same key with the same body is answered as the first time, with ' +
        '`Idempotent-Replayed: true`; with another body it is a 422, `IDEMPOTENCY_KEY_REUSED`. Kept for ' +
        '`IDEMPOTENCY_TTL`, a day by default. `"K"` and `K` are one key.',
      schema: { type: 'string', minLength: 1, maxLength: 255 },
    }),
    ApiProblem('A request with this `Idempotency-Key` is still being worked on', instance, {
      status: 409,
      code,
      detail: message,
    }),
  );
}

/** Whether an object holds no other, and its names are in the order that {@link sorted} gives them: most bodies are like that. */
function isSorted(value: unknown): boolean {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  let last = '';
  for (const [name, inner] of Object.entries(value)) {
    if (name < last || (typeof inner === 'object' && inner !== null)) return false;
    last = name;
  }
  return true;
}

/** The same for every order of the names. */
function sorted(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sorted);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([name, inner]) => [name, sorted(inner)]),
  );
}

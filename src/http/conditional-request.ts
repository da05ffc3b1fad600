import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ApiProblem } from './problems/api-problem.decorator.js';
import { ApplicationError } from '../kernel/application-error.js';

/** Somebody changed what the caller has seen. */
class PreconditionFailedError extends ApplicationError {
  readonly kind = 'changed';
  readonly code = 'PRECONDITION_FAILED';

  constructor() {
    super('It was changed since: read it again, and send its new ETag in If-Match');
  }
}

/**
 * Whether `If-None-Match` names what there is, so that it need not be sent again (RFC 9110, section 13.1.2, which compares
 * weakly: `W/` makes no difference).
 */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || tagsOf(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Holds a change back that was meant for another state (RFC 9110, section 13.1.1, which compares strongly).
 *
 * @throws PreconditionFailedError when `If-Match` is there and names something else.
 */
export function requireMatch(ifMatch: string | undefined, etag: () => string): void {
  if (ifMatch === undefined || ifMatch.trim() === '*') return;
  if (!tagsOf(ifMatch).includes(etag())) throw new PreconditionFailedError();
}

/** Documents what `If-None-Match` does. */
export function ApiIfNoneMatch(): MethodDecorator {
  return applyDecorators(
    ApiHeader({ name: 'If-None-Match', required: false, description: 'The `ETag` of a state that is at hand' }),
    ApiResponse({ status: 304, description: 'It is still what `If-None-Match` names' }),
  );
}

/** Documents what `If-Match` does. */
export function ApiIfMatch(instance: string): MethodDecorator {
  const { code, message } = new PreconditionFailedError();
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` of the state that the change is meant for',
    }),
    ApiProblem('It is no longer what `If-Match` names; nothing was changed', instance, {
      status: 412,
      code,
      detail: message,
    }),
  );
}

function tagsOf(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

import { applyDecorators } from '@nestjs/common';
import { ApiHeader, ApiResponse } from '@nestjs/swagger';
import { ApiProblem } from './problems/api-problem.decorator.js';

/**
 * Whether `If-None-Match` names what there is, so that it need not be sent again (RFC 9110, section 13.1.2, which compares
 * weakly: `W/` makes no difference).
 */
export function isUnchanged(ifNoneMatch: string | undefined, etag: string): boolean {
  if (ifNoneMatch === undefined) return false;
  return ifNoneMatch.trim() === '*' || tagsOf(ifNoneMatch).some((tag) => tag.replace(/^W\//, '') === etag);
}

/**
 * Whether `If-Match` is absent or names what there is (RFC 9110, section 13.1.1, which compares strongly). `etag` is computed only
 * when it is needed.
 */
export function matches(ifMatch: string | undefined, etag: () => string): boolean {
  return ifMatch === undefined || ifMatch.trim() === '*' || tagsOf(ifMatch).includes(etag());
}

/** Whether `If-Match` names only weak tags, which never match: proxies that compress answers weaken them. */
export function isWeak(ifMatch: string | undefined): boolean {
  const tags = tagsOf(ifMatch ?? '');
  return tags.length > 0 && tags.every((tag) => tag.startsWith('W/'));
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
  return applyDecorators(
    ApiHeader({
      name: 'If-Match',
      required: false,
      description: 'The `ETag` of the state that the change is meant for',
    }),
    ApiProblem('It is no longer what `If-Match` names; nothing was changed', instance, {
      status: 412,
      code: 'PRECONDITION_FAILED',
      detail: 'It was changed since: read it again, and send its new ETag in If-Match',
    }),
  );
}

function tagsOf(header: string): string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}

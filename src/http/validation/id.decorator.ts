import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import type { OwnedId } from '../../kernel/access/owner.js';
import { ValidationError } from '../../kernel/validation-error.js';

/** The id in a path; one that no row has is for the service to miss. */
export const Id = createParamDecorator((_data: unknown, context: ExecutionContext): number => idOf(requestOf(context)));

/** The same with the owner that the caller is, for the statement that finds the row. */
export const Own = createParamDecorator((_data: unknown, context: ExecutionContext): OwnedId => {
  const request = requestOf(context);
  return { id: idOf(request), owner: request.caller.customerRef };
});

type RequestWithId = FastifyRequest<{ Params: { id: string } }>;

function requestOf(context: ExecutionContext): RequestWithId {
  return context.switchToHttp().getRequest<RequestWithId>();
}

/** @throws ValidationError */
function idOf({ params: { id } }: RequestWithId): number {
  const value = /^-?\d+$/.test(id) ? Number(id) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new ValidationError([{ field: 'id', message: 'id must be a whole number' }]);
  }
  return value;
}

/** Documents {@link Id} and {@link Own}. */
export function ApiId(): MethodDecorator {
  return applyDecorators(
    ApiParam({ name: 'id', required: true, schema: { type: 'integer', format: 'int64', example: 1 } }),
  );
}

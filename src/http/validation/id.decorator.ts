import { applyDecorators, createParamDecorator, type ExecutionContext } from '@nestjs/common';
import { ApiParam } from '@nestjs/swagger';
import type { FastifyRequest } from 'fastify';
import { ValidationError } from '../../kernel/validation-error.js';

/** The id in a path; one that no row has is for the service to miss. */
export const Id = createParamDecorator((_data: unknown, context: ExecutionContext): number => {
  const { id } = context.switchToHttp().getRequest<FastifyRequest<{ Params: { id: string } }>>().params;
  const value = /^-?\d+$/.test(id) ? Number(id) : NaN;
  if (!Number.isSafeInteger(value)) {
    throw new ValidationError([{ field: 'id', message: 'id must be a whole number' }]);
  }
  return value;
});

/** Documents {@link Id}. */
export function ApiId(): MethodDecorator {
  return applyDecorators(
    ApiParam({ name: 'id', required: true, schema: { type: 'integer', format: 'int64', example: 1 } }),
  );
}

import { applyDecorators } from '@nestjs/common';
import { ApiExtraModels, ApiResponse, getSchemaPath } from '@nestjs/swagger';
import { ProblemDetailsSchema } from './problem-details.schema.js';
import { type Problem, toProblem, toProblemDetails } from './problem-details.js';

const EXAMPLE_REQUEST_ID = '3f1d2c9a-5b1e-4f0e-9c1a-2f6f0a7b8c9d';

/** Documents an error answer of a route: its schema and one example. */
export function ApiProblem(description: string, instance: string, problem: Problem): MethodDecorator {
  const example = toProblemDetails(problem, instance, EXAMPLE_REQUEST_ID);
  return applyDecorators(
    ApiExtraModels(ProblemDetailsSchema),
    ApiResponse({
      status: problem.status,
      description,
      content: { 'application/problem+json': { schema: { $ref: getSchemaPath(ProblemDetailsSchema) }, example } },
    }),
  );
}

/** Documents the 422 of a route. */
export function ApiValidationProblem(instance: string, field: string, message: string): MethodDecorator {
  return ApiProblem('The request is not valid; `errors` holds every problem', instance, {
    status: 422,
    code: 'VALIDATION_ERROR',
    detail: message,
    errors: [{ field, message }],
  });
}

/** Documents what every route with a body answers to one that is too large or not JSON. */
export function ApiBodyProblems(instance: string): MethodDecorator {
  return applyDecorators(
    ...[413, 415].map((statusCode) => {
      const problem = toProblem({ statusCode });
      return ApiProblem(problem.detail, instance, problem);
    }),
  );
}

/** Documents what a route without parameters answers to a request that does not arrive whole in time. */
export function ApiRequestTimeout(instance: string): MethodDecorator {
  const problem = toProblem({ statusCode: 408 });
  return ApiProblem(problem.detail, instance, problem);
}

/** Documents the 503 that every route that needs PostgreSQL can answer. */
export function ApiUnavailableProblem(instance: string): MethodDecorator {
  return ApiProblem('A service behind this one is down or too slow; try again after `Retry-After` seconds', instance, {
    status: 503,
    code: 'DATABASE_UNAVAILABLE',
    detail: 'The database is not available; try again',
  });
}

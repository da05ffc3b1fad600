import { STATUS_CODES } from 'node:http';
import { HttpException } from '@nestjs/common';
import { ApplicationError, type ErrorKind } from '../../kernel/application-error.js';
import type { ErrorCode } from '../../kernel/error-codes.js';
import { type FieldError, ValidationError } from '../../kernel/validation-error.js';

/** The body of every error answer, RFC 9457. `code` tells a program what `detail` tells a person. */
export interface ProblemDetails {
  type: string;
  title: string;
  status: number;
  detail: string;
  instance: string;
  code: ErrorCode;
  request_id: string;
  errors?: readonly FieldError[];
}

/** A problem before it is told where it happened. */
export type Problem = Pick<ProblemDetails, 'status' | 'detail' | 'code' | 'errors'>;

/** Other statuses come from Fastify and Nest; `connections/connections.ts` and `server/fastify-adapter.ts` answer what reaches no route. */
const STATUS_OF_KIND: Record<ErrorKind, number> = {
  rejected: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  changed: 412,
  invalid: 422,
  limited: 429,
  unavailable: 503,
};

const FRAMEWORK_PROBLEMS: Record<number, { code: ErrorCode; detail: string } | undefined> = {
  400: { code: 'BAD_REQUEST', detail: 'The request cannot be read' },
  403: {
    code: 'FORBIDDEN_ORIGIN',
    detail: 'A page of another site may not do this; CORS_ORIGINS names the sites that may',
  },
  404: { code: 'NOT_FOUND', detail: 'There is nothing at this path; see /docs for the paths there are' },
  405: { code: 'METHOD_NOT_ALLOWED', detail: 'This path does not take this method; see the Allow header' },
  413: { code: 'BODY_TOO_LARGE', detail: 'The body is larger than 1 MiB' },
  408: { code: 'REQUEST_TIMEOUT', detail: 'The request did not arrive in time; send it again' },
  415: {
    code: 'UNSUPPORTED_MEDIA_TYPE',
    detail: 'The body must be JSON in UTF-8 without a Content-Encoding, with Content-Type: application/json',
  },
  414: { code: 'URI_TOO_LONG', detail: 'URI Too Long' },
  421: {
    code: 'UNKNOWN_HOST',
    detail: 'This server is not known by the name in the Host header; ALLOWED_HOSTS and PUBLIC_URL name others',
  },
  431: { code: 'REQUEST_HEADER_FIELDS_TOO_LARGE', detail: 'Request Header Fields Too Large' },
  503: { code: 'SHUTTING_DOWN', detail: 'The server is stopping; try again' },
};

/** Reads any thrown thing as a problem. An unexpected error is a 500 that reveals nothing of the inside. */
export function toProblem(error: unknown): Problem {
  if (error instanceof ValidationError) return problemOf(error, error.errors);
  if (error instanceof ApplicationError) return problemOf(error);
  const status = statusOf(error);
  const known = FRAMEWORK_PROBLEMS[status];
  if (known !== undefined) return { status, ...known };
  const title = STATUS_CODES[status];
  if (status >= 400 && status < 500 && title !== undefined) {
    return { status, code: 'BAD_REQUEST', detail: title };
  }
  return {
    status: 500,
    code: 'INTERNAL_ERROR',
    detail: 'Something went wrong here; the log has it under the request_id',
  };
}

/** Completes a problem to the body of its answer. */
export function toProblemDetails(problem: Problem, instance: string, requestId: string): ProblemDetails {
  const { errors, ...rest } = problem;
  const body = {
    type: 'about:blank',
    title: STATUS_CODES[problem.status] ?? 'Error',
    ...rest,
    instance,
    request_id: requestId,
  };
  return errors === undefined ? body : { ...body, errors };
}

function problemOf(error: ApplicationError, errors?: readonly FieldError[]): Problem {
  const problem = { ...error.members, status: STATUS_OF_KIND[error.kind], code: error.code, detail: error.message };
  return errors === undefined ? problem : { ...problem, errors };
}

/** Fastify's errors carry `statusCode`, Nest's a method for it. */
function statusOf(error: unknown): number {
  if (typeof error !== 'object' || error === null) return 500;
  if (error instanceof HttpException) return error.getStatus();
  return 'statusCode' in error ? Number(error.statusCode) : 500;
}

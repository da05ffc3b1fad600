import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../config/config.js';
import { isLoopback } from '../../config/loopback.js';
import { ApiProblem } from '../problems/api-problem.decorator.js';
import type { Problem } from '../problems/problem-details.js';
import { ForbiddenError } from '../../kernel/forbidden.error.js';

const NOT_LOCAL =
  'Operators act over HTTP only on the machine itself: HOST must be a loopback address, and no proxy may stand in between. The npm scripts do the same elsewhere';

/** Documents {@link LocalOnlyGuard}. */
export function ApiLocalOnly(instance: string): MethodDecorator {
  const problem: Problem = { status: 403, code: 'FORBIDDEN', detail: NOT_LOCAL };
  return ApiProblem('This is possible only on the machine itself', instance, problem);
}

/** Whether the caller of a request can only be a user of the machine itself. */
export function isLocal({ headers }: FastifyRequest, { host }: Config): boolean {
  const isForwarded = Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
  return isLoopback(host) && !isForwarded;
}

/**
 * Lets operators act over HTTP only where nobody but the machine's own users can: on a loopback address, without a proxy. This holds until callers
 * have keys.
 */
@Injectable()
export class LocalOnlyGuard implements CanActivate {
  constructor(private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<FastifyRequest>();
    if (!isLocal(request, this.config)) throw new ForbiddenError(NOT_LOCAL);
    return true;
  }
}

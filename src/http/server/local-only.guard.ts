import { type CanActivate, type ExecutionContext, Injectable } from '@nestjs/common';
import type { FastifyRequest } from 'fastify';
import { Config } from '../../config/config.js';
import { isLoopback } from '../../config/loopback.js';
import { ApplicationError } from '../../kernel/application-error.js';

/** The caller may not do this. */
class ForbiddenError extends ApplicationError {
  readonly kind = 'forbidden';
  readonly code = 'FORBIDDEN';
}

export const NOT_LOCAL =
  'Operators act over HTTP only on the machine itself: HOST must be a loopback address, and no proxy may stand in between. The npm scripts do the same elsewhere';

/**
 * Lets operators act over HTTP only where nobody but the machine's own users can: on a loopback address, without a proxy. This holds until callers
 * have keys.
 */
@Injectable()
export class LocalOnlyGuard implements CanActivate {
  constructor(private readonly config: Config) {}

  canActivate(context: ExecutionContext): boolean {
    const { headers } = context.switchToHttp().getRequest<FastifyRequest>();
    const isForwarded = Object.keys(headers).some((name) => name === 'forwarded' || name.startsWith('x-forwarded-'));
    if (!isLoopback(this.config.host) || isForwarded) throw new ForbiddenError(NOT_LOCAL);
    return true;
  }
}

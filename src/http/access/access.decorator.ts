import { applyDecorators } from '@nestjs/common';
import { RouteConfig } from '@nestjs/platform-fastify';
import { ApiSecurity } from '@nestjs/swagger';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { ApiProblem, ApiUnavailableProblem } from '../problems/api-problem.decorator.js';
import { toProblem } from '../problems/problem-details.js';
import { type RouteAccess, scopesOf } from './route-access.js';
import { missingScope, needsCredentials } from './refusals.js';

const TOO_MUCH = toProblem(new TooManyRequestsError('More than 1000 requests a second', 1));

/** The names under which the OpenAPI document has the ways to say who one is. */
const SECURITY_SCHEMES = ['bearer', 'basic'] as const;

/**
 * Says who may use a route, which keeps the process from starting when it says nothing.
 *
 * @param instance an example of its path, for the OpenAPI document.
 */
export function Access(access: RouteAccess, instance = '/'): MethodDecorator {
  const declared = RouteConfig({ access });
  if (access === 'public') return declared;
  const scopes = scopesOf(access);
  return applyDecorators(
    declared,
    ...SECURITY_SCHEMES.map((name) => ApiSecurity(name)),
    ApiProblem('The caller has to say who they are', instance, toProblem(needsCredentials())),
    // Who the caller is may not be known for the moment.
    ApiUnavailableProblem(instance),
    ApiProblem('The caller asks for too much; try again after `Retry-After` seconds', instance, TOO_MUCH),
    ...(scopes === undefined
      ? []
      : [ApiProblem(`The caller lacks the scope ${namesOf(scopes)}`, instance, toProblem(missingScope(scopes)))]),
  );
}

function namesOf(scopes: readonly string[]): string {
  return scopes.map((scope) => `\`${scope}\``).join(' or ');
}

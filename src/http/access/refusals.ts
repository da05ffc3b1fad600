import type { FastifyRequest } from 'fastify';
import type { ApplicationError } from '../../kernel/application-error.js';
import type { Refusal } from '../../kernel/access/caller.js';
import { NAME } from '../../kernel/version.js';
import { networkOf } from './network.js';
import type { Scope } from '../../kernel/access/scopes.js';
import { ForbiddenError } from '../../kernel/access/forbidden.error.js';
import { UnauthenticatedError } from '../../kernel/access/unauthenticated.error.js';

/** Nothing was sent by which the caller could be known. */
export function needsCredentials(): UnauthenticatedError {
  return new UnauthenticatedError(
    'Say who you are: "Authorization: Bearer" and a key, or the key as the password of a browser',
  );
}

/** Nobody can be known yet: the ways out. */
export function needsFirstKey(): UnauthenticatedError {
  return new UnauthenticatedError(
    'There is no key yet, so nobody is let in. "npm run keys -- create --name admin --role admin" makes the first one; ' +
      'AUTH=off opens the system to everybody who reaches it',
  );
}

/** The caller is known, and may not do this. */
export function missingScope(scopes: readonly Scope[]): ForbiddenError {
  return new ForbiddenError(`This needs the scope ${scopes.join(' or ')}`);
}

/** The caller is a customer, and this shows or changes what belongs to others. */
export function notForCustomers(): ForbiddenError {
  return new ForbiddenError('This is not for customers, who see and change only what is their own');
}

/** What is told of a refusal. */
export function refusalOf(request: FastifyRequest, { code }: ApplicationError): Refusal {
  const { id, ip, method, routeOptions } = request;
  return {
    code,
    actor: request.caller.actor,
    network: networkOf(ip),
    method,
    route: routeOptions.url ?? null,
    requestId: id,
  };
}

/** A browser asks its user for a key when it shows a page of this server; its scripts then send that as well, and no page of others has it asked. */
export function challengeOf({ headers }: FastifyRequest, { asksForPassword }: { asksForPassword: boolean }): string {
  const { accept = '', authorization, 'sec-fetch-site': site } = headers;
  if (asksForPassword || accept.includes('text/html') || site === 'same-origin')
    return `Basic realm="${NAME}", charset="UTF-8"`;
  return `Bearer realm="${NAME}"${authorization === undefined ? '' : ', error="invalid_token"'}`;
}

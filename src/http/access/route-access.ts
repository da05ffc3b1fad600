import type { IncomingHttpHeaders } from 'node:http';
import { LIMITS } from '../../config/limits.js';
import type { Caller } from '../../kernel/access/caller.js';
import type { Scope } from '../../kernel/access/scopes.js';

export interface ScopedAccess {
  /** Any one of them lets in. */
  readonly scopes: readonly Scope[];
  /** A customer as well: the route gives each customer nothing but what is its own or everybody's. */
  readonly customers?: true;
  /** How many requests one of it counts as at least, where callers are limited; 1 unless given. */
  readonly weight?: number;
}

/** Of a route that reads many rows. */
export const LIST_WEIGHT = 5;
/** What a body adds at most: as much as an order of a hundred items, in short. */
export const MAX_BODY_WEIGHT = 5;

/**
 * Who may use a route: whoever has one of the scopes and is no customer; {@link ScopedAccess}; `caller`, everybody who has said who they are; `docs`, the same, or everybody where
 * `DOCS=public`; `public`, everybody.
 */
export type RouteAccess = readonly Scope[] | ScopedAccess | 'caller' | 'docs' | 'public';

declare module 'fastify' {
  interface FastifyContextConfig {
    /** Every route says it, or the process does not start. */
    access?: RouteAccess;
  }
  interface FastifyRequest {
    /** Who sends the request; there from the first hook on. */
    caller: Caller;
  }
}

/** Which scopes a route asks for, any one of them; `undefined` when it asks for none. */
export function scopesOf(access: RouteAccess): readonly Scope[] | undefined {
  if (typeof access === 'string') return undefined;
  return 'scopes' in access ? access.scopes : access;
}

/** Whether customers are let in as well. */
export function isForCustomers(access: RouteAccess): boolean {
  return typeof access === 'string' || ('customers' in access && access.customers === true);
}

/** What a route asks of its callers, worked out once. */
export interface Terms {
  readonly isPublic: boolean;
  /** Any one of them; `undefined` when it asks for none. */
  readonly scopes: readonly Scope[] | undefined;
  readonly isForCustomers: boolean;
  /** How many requests one counts as at least. */
  readonly weight: number;
}

export function termsOf(access: RouteAccess): Terms {
  return {
    isPublic: access === 'public',
    scopes: scopesOf(access),
    isForCustomers: isForCustomers(access),
    weight: (typeof access === 'object' && 'weight' in access ? access.weight : undefined) ?? 1,
  };
}

/**
 * As how many requests one counts, where callers are limited. What it brings counts as well, before it is read: an order of
 * a hundred items is more work than one of one. However long it claims to be, it shuts nobody out for long.
 *
 * @param ofRoute as {@link Terms.weight} has it.
 */
export function weightOf(ofRoute: number, headers: IncomingHttpHeaders): number {
  // How long a body in chunks is, is not known yet.
  if (headers['transfer-encoding'] !== undefined) return ofRoute + MAX_BODY_WEIGHT;
  const length = headers['content-length'];
  if (length === undefined) return ofRoute;
  return ofRoute + Math.min(Math.floor(Number(length) / LIMITS.requestBytes), MAX_BODY_WEIGHT);
}

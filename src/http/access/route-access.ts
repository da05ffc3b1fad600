import type { Caller } from '../../kernel/access/caller.js';
import type { Scope } from '../../kernel/access/scopes.js';

/** Whoever has one of the scopes; a customer as well, where the route gives each customer nothing but what is its own or everybody's. */
export interface CustomerAccess {
  readonly scopes: readonly Scope[];
  readonly customers: true;
}

/**
 * Who may use a route: whoever has one of the scopes and is no customer; {@link CustomerAccess}; `caller`, everybody who has said who they are; `docs`, the same, or everybody where
 * `DOCS=public`; `public`, everybody.
 */
export type RouteAccess = readonly Scope[] | CustomerAccess | 'caller' | 'docs' | 'public';

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
  return 'customers' in access ? access.scopes : access;
}

/** Whether customers are let in as well. */
export function isForCustomers(access: RouteAccess): boolean {
  return typeof access === 'string' || 'customers' in access;
}

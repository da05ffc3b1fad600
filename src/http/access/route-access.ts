import type { Caller } from '../../kernel/access/caller.js';
import type { Scope } from '../../kernel/access/scopes.js';

/**
 * Who may use a route: whoever has one of the scopes; `caller`, everybody who has said who they are; `docs`, the same, or everybody where
 * `DOCS=public`; `public`, everybody.
 */
export type RouteAccess = readonly Scope[] | 'caller' | 'docs' | 'public';

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

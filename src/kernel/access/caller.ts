import { type Scope, SCOPES } from './scopes.js';

/** Who sends a request, as far as it matters here. */
export interface Caller {
  /** For the records: `key:12`. Null where nobody is asked who they are. */
  readonly actor: string | null;
  /** What the caller may do, with what that implies. */
  readonly scopes: ReadonlySet<Scope>;
  /** Until when the caller may come in; null for ever. */
  readonly expiresAt: Date | null;
  /** Whether the caller may still do it: a key can be revoked while its stream goes on. */
  readonly isValid: () => boolean;
}

/** A user of the machine itself where nobody is asked who they are: may do everything. */
export const ANYBODY: Caller = { actor: null, scopes: new Set(SCOPES), expiresAt: null, isValid: () => true };

/** Anybody else where nobody is asked: everything but keys, which would outlive that nobody is asked. */
export const ANYBODY_ELSEWHERE: Caller = {
  ...ANYBODY,
  scopes: new Set(SCOPES.filter((scope) => scope !== 'keys:manage')),
};

/** The caller who has not said who they are, where that is asked: sees what is public. */
export const NOBODY: Caller = { actor: null, scopes: new Set(), expiresAt: null, isValid: () => true };

/** Knows callers by their tokens. */
export interface Authenticator {
  /** Whether there is anybody who could be known. */
  readonly knowsAnybody: boolean;
  /** @throws UnauthenticatedError, or an error of kind `unavailable` when it cannot tell now. */
  readonly authenticate: (token: string) => Caller;
}

import { type Scope, SCOPES } from './scopes.js';

/** Who sends a request, as far as it matters here. */
export interface Caller {
  /** For the records: `key:12`. Null where nobody is asked who they are. */
  readonly actor: string | null;
  /** What the caller may do, with what that implies. */
  readonly scopes: ReadonlySet<Scope>;
  /** Whether the caller may still do it: a key can be revoked while its stream goes on. */
  readonly isValid: () => boolean;
}

/** The caller where nobody is asked who they are: may do everything. */
export const ANYBODY: Caller = { actor: null, scopes: new Set(SCOPES), isValid: () => true };

/** The caller who has not said who they are, where that is asked: sees what is public. */
export const NOBODY: Caller = { actor: null, scopes: new Set(), isValid: () => true };

/** Knows callers by their tokens. */
export interface Authenticator {
  /** Whether there is anybody who could be known. */
  readonly knowsAnybody: boolean;
  /** @throws UnauthenticatedError, or an error of kind `unavailable` when it cannot tell now. */
  readonly authenticate: (token: string) => Caller;
}

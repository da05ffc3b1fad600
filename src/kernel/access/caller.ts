import type { ErrorCode } from '../error-codes.js';
import { ForbiddenError } from './forbidden.error.js';
import type { Owner } from './owner.js';
import { type Scope, SCOPES } from './scopes.js';

/** Characters of a `customer_ref`, the shop's own id of a buyer. */
export const MAX_CUSTOMER_REF_LENGTH = 128;

/** Who sends a request, as far as it matters here. */
export interface Caller {
  /** For the records: `key:12`. Null where nobody is asked who they are. */
  readonly actor: string | null;
  /** What the caller may do, with what that implies. */
  readonly scopes: ReadonlySet<Scope>;
  /** A customer has only what carries its own `customer_ref`; null for everybody else. */
  readonly customerRef: Owner;
  /** Until when the caller may come in; null for ever. */
  readonly expiresAt: Date | null;
  /** Whether the caller may still do it: a key can be revoked while its stream goes on. */
  readonly isValid: () => boolean;
}

/** A user of the machine itself where nobody is asked who they are: may do everything. */
export const ANYBODY: Caller = {
  actor: null,
  scopes: new Set(SCOPES),
  customerRef: null,
  expiresAt: null,
  isValid: () => true,
};

/** Anybody else where nobody is asked: everything but keys, which would outlive that nobody is asked. */
export const ANYBODY_ELSEWHERE: Caller = {
  ...ANYBODY,
  scopes: new Set(SCOPES.filter((scope) => scope !== 'keys:manage')),
};

/** The caller who has not said who they are, where that is asked: sees what is public. */
export const NOBODY: Caller = { ...ANYBODY, scopes: new Set() };

/** A request that was not let in. */
export interface Refusal {
  readonly code: ErrorCode;
  readonly actor: string | null;
  /** The address, of IPv6 its /64. */
  readonly network: string;
  readonly method: string;
  /** The pattern of the path, e.g. `/api/v1/orders/:id`; null for none of ours. */
  readonly route: string | null;
  readonly requestId: string;
}

/** Knows callers by their tokens. */
export interface Authenticator {
  /** Whether there is anybody who could be known. */
  readonly knowsAnybody: boolean;
  /** Throws, or rejects with, UnauthenticatedError, or an error of kind `unavailable` when it cannot tell now. */
  readonly authenticate: (token: string) => Caller | Promise<Caller>;
}

/** The customer of something that a caller buys or holds: a customer's is its own. @throws ForbiddenError when it names another. */
export function customerOf({ customerRef: own }: Caller, named: string | undefined): string | null {
  if (own === null || named === undefined || named === own) return own ?? named ?? null;
  throw new ForbiddenError('customer_ref is that of another customer; leave it out, and it is yours');
}

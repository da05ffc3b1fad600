import type { AccessRole, Scope } from '../kernel/access/scopes.js';

/** A key, without its secret. */
export interface ApiKey {
  readonly id: number;
  /** For a person. */
  readonly name: string;
  /** A named set of scopes; null for a key with scopes of its own. */
  readonly role: AccessRole | null;
  /** Its own scopes; none for a key with a role. */
  readonly scopes: readonly Scope[];
  /** The customer whose key it is; null for one that has all orders and reservations. */
  readonly customerRef: string | null;
  readonly createdBy: string | null;
  readonly createdAt: Date;
  readonly expiresAt: Date | null;
  readonly revokedAt: Date | null;
  /** To the minute. */
  readonly lastUsedAt: Date | null;
}

/** What a key is to be. */
export interface NewApiKey {
  readonly name: string;
  readonly role: AccessRole | undefined;
  readonly scopes: readonly Scope[];
  readonly customerRef: string | undefined;
  readonly expiresAt: Date | undefined;
}

/** A key with its token, which nobody sees a second time. */
export interface IssuedApiKey {
  readonly key: ApiKey;
  readonly token: string;
}

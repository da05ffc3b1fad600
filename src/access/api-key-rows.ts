import { randomBytes } from 'node:crypto';
import type { QueryConfig } from 'pg';
import type { NewApiKey } from './api-key.js';

// The one writer of `api_keys`, and its reader. A trigger counts each change in `api_keys_version`.

const DIGEST_BYTES = 32;
const COLUMNS = `id, name, role, scopes, customer_ref AS "customerRef", created_by AS "createdBy", created_at AS "createdAt", expires_at AS "expiresAt",
  revoked_at AS "revokedAt", last_used_at AS "lastUsedAt"`;

/** What a process has to know to let a key in. */
export interface KnownApiKey {
  readonly id: number;
  readonly role: string | null;
  readonly scopes: readonly string[];
  readonly customerRef: string | null;
  readonly digest: Buffer;
  readonly previousDigest: Buffer | null;
  readonly previousExpiresAt: Date | null;
  readonly expiresAt: Date | null;
}

/** With a digest that no token has: the token of the key holds its id, which is known only now. */
export function insertApiKey(key: NewApiKey, actor: string | null): QueryConfig {
  const { name, role, scopes, customerRef, expiresAt } = key;
  return {
    text: `INSERT INTO api_keys (name, role, scopes, customer_ref, expires_at, digest, created_by)
           VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING ${COLUMNS}`,
    values: [name, role ?? null, scopes, customerRef ?? null, expiresAt ?? null, randomBytes(DIGEST_BYTES), actor],
  };
}

export function setDigest(id: number, digest: Buffer): QueryConfig {
  return { text: 'UPDATE api_keys SET digest = $2 WHERE id = $1', values: [id, digest] };
}

/** Locks a key that is not revoked. */
export function lockApiKey(id: number): QueryConfig {
  return { text: `SELECT ${COLUMNS} FROM api_keys WHERE id = $1 AND revoked_at IS NULL FOR UPDATE`, values: [id] };
}

/** Gives a key another secret; the one that it has is good for so many seconds more, and one from before it no longer. */
export function rollApiKey(id: number, digest: Buffer, overlapSeconds: number): QueryConfig {
  return {
    text: `UPDATE api_keys SET digest = $2, previous_digest = CASE WHEN $3::integer > 0 THEN digest END,
             previous_expires_at = CASE WHEN $3 > 0 THEN clock_timestamp() + $3 * interval '1 second' END
           WHERE id = $1`,
    values: [id, digest, overlapSeconds],
  };
}

export function revokeApiKey(id: number): QueryConfig {
  return { text: 'UPDATE api_keys SET revoked_at = clock_timestamp() WHERE id = $1', values: [id] };
}

/** Notes the last use of keys. */
export function noteUse(uses: ReadonlyMap<number, number>): QueryConfig {
  return {
    name: 'note-use-of-api-keys',
    text: `WITH locked AS MATERIALIZED (SELECT id FROM api_keys WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE)
           UPDATE api_keys SET last_used_at = greatest(last_used_at, used.at)
           FROM unnest($1::bigint[], $2::timestamptz[]) AS used (id, at) JOIN locked USING (id) WHERE api_keys.id = used.id`,
    values: [[...uses.keys()], [...uses.values()].map((at) => new Date(at))],
  };
}

/** The newest keys below an id, newest first. */
export function selectApiKeys({ before, limit }: { before?: number | undefined; limit: number }): QueryConfig {
  return {
    text: `SELECT ${COLUMNS} FROM api_keys WHERE id < coalesce($1, 9223372036854775807) ORDER BY id DESC LIMIT $2`,
    values: [before ?? null, limit],
  };
}

/** Counts the changes of what keys may do. */
export function selectVersion(): QueryConfig {
  return { name: 'select-api-keys-version', text: 'SELECT version FROM api_keys_version' };
}

/** The keys that may come in, with the version that they are of or an older one. */
export function selectKnownApiKeys(): QueryConfig {
  return {
    name: 'select-known-api-keys',
    text: `SELECT id, role, scopes, customer_ref AS "customerRef", digest, previous_digest AS "previousDigest", previous_expires_at AS "previousExpiresAt",
             expires_at AS "expiresAt"
           FROM api_keys WHERE revoked_at IS NULL AND coalesce(expires_at, 'infinity') > clock_timestamp()`,
  };
}

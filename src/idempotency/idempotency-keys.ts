import type { QueryConfig } from 'pg';
import type { ApplicationError } from '../common/application-error.js';
import type { KeptError } from './idempotency.errors.js';
import type { IdempotentRequest } from './idempotent-request.js';

/** A row of `idempotency_keys`: one of the three last is there. */
export interface IdempotencyKeyRow {
  readonly fingerprint: string;
  readonly orderId: number | null;
  readonly body: string | null;
  readonly error: KeptError | null;
}

export function selectKey(key: string): QueryConfig {
  return {
    name: 'select-idempotency-key',
    text: 'SELECT fingerprint, order_id AS "orderId", body, error FROM idempotency_keys WHERE key = $1',
    values: [key],
  };
}

/** Those of the keys that have been used. */
export function selectTakenKeys(keys: readonly string[]): QueryConfig {
  return {
    name: 'select-taken-keys',
    text: 'SELECT key FROM idempotency_keys WHERE key = ANY ($1::text[])',
    values: [keys],
  };
}

/** Keeps refusals, but for keys that have been used meanwhile; returns the keys that it has kept. */
export function keepErrors(refusals: readonly { request: IdempotentRequest; error: ApplicationError }[]): QueryConfig {
  return {
    name: 'keep-errors',
    text: `INSERT INTO idempotency_keys (key, fingerprint, error)
           SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[])
           ON CONFLICT (key) DO NOTHING RETURNING key`,
    values: [
      refusals.map(({ request }) => request.key),
      refusals.map(({ request }) => request.fingerprint),
      refusals.map(({ error: { kind, code, message } }) => JSON.stringify({ kind, code, message })),
    ],
  };
}

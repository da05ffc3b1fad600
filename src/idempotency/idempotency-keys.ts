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

/** The number by which the requests with a key lock each other out, in SQL. */
export function lockOf(key: string): string {
  return `hashtextextended(${key}, 0)`;
}

export function selectKey(key: string): QueryConfig & { text: string } {
  return {
    name: 'select-idempotency-key',
    text: 'SELECT fingerprint, order_id AS "orderId", body, error FROM idempotency_keys WHERE key = $1',
    values: [key],
  };
}

/** Those of the keys that have been used, or that another transaction is about to use: nobody waits for it. */
export function selectTakenKeys(keys: readonly string[]): QueryConfig {
  return {
    name: 'select-taken-keys',
    text: `SELECT key FROM unnest($1::text[]) AS wanted (key)
           WHERE NOT pg_try_advisory_xact_lock(${lockOf('key')})
              OR EXISTS (SELECT FROM idempotency_keys WHERE idempotency_keys.key = wanted.key)`,
    values: [keys],
  };
}

/** A request that was refused for good. */
export interface Refusal {
  readonly request: IdempotentRequest;
  readonly error: ApplicationError;
}

/** Keeps refusals, but for keys that have been used meanwhile; returns the keys that it has kept. */
export function keepErrors(refusals: readonly Refusal[]): QueryConfig & { text: string } {
  return {
    name: 'keep-errors',
    text: `INSERT INTO idempotency_keys (key, fingerprint, error)
           SELECT * FROM unnest($1::text[], $2::text[], $3::jsonb[])
           ON CONFLICT (key) DO NOTHING RETURNING key`,
    values: [
      refusals.map(({ request }) => request.key),
      refusals.map(({ request }) => request.fingerprint),
      refusals.map(({ error: { kind, code, message, members } }) => JSON.stringify({ kind, code, message, members })),
    ],
  };
}

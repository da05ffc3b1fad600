import type { QueryConfig } from 'pg';
import type { KeptError } from './idempotency.errors.js';
import type { IdempotentRequest } from './idempotent-request.js';

/** A row of `idempotency_keys`: exactly one of the last four is set. */
export interface IdempotencyKeyRow {
  readonly fingerprint: string;
  readonly orderId: number | null;
  readonly reservationId: number | null;
  readonly body: string | null;
  readonly error: KeptError | null;
}

/**
 * The number by which the requests with a key lock each other out, in SQL. Advisory locks of one number belong to idempotency keys alone;
 * every other one has two, a class and a number.
 */
function advisoryLockOf(key: string): string {
  return `hashtextextended(${key}, 0)`;
}

/** Waits until nobody else uses the key, and keeps it until the transaction ends. */
export function waitForKey({ key }: IdempotentRequest): QueryConfig {
  return { name: 'wait-for-key', text: `SELECT pg_advisory_xact_lock(${advisoryLockOf('$1::text')})`, values: [key] };
}

/** What is kept for the key, in whichever form it was sent. */
export function selectKey({ key, quotedKey, sentKey }: IdempotentRequest): QueryConfig {
  return {
    name: 'select-idempotency-key',
    text: `SELECT fingerprint, order_id AS "orderId", reservation_id AS "reservationId", body, error FROM idempotency_keys
           WHERE key IN ($1, $2) ORDER BY key = $3 DESC LIMIT 1`,
    values: [key, quotedKey, sentKey],
  };
}

/** Gives those of the keys that are used, or locked by another transaction. It does not wait. */
export function selectTakenKeys(requests: readonly IdempotentRequest[]): QueryConfig {
  return {
    name: 'select-taken-keys',
    text: `SELECT wanted.key FROM unnest($1::text[], $2::text[]) AS wanted (key, quoted)
           WHERE NOT pg_try_advisory_xact_lock(${advisoryLockOf('wanted.key')})
              OR EXISTS (SELECT FROM idempotency_keys WHERE idempotency_keys.key IN (wanted.key, wanted.quoted))`,
    values: [requests.map(({ key }) => key), requests.map(({ quotedKey }) => quotedKey)],
  };
}

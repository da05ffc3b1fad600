import type { QueryConfig } from 'pg';
import { numericArray } from '../database/numeric-array.js';
import type { ApplicationError } from '../kernel/application-error.js';
import type { IdempotentRequest } from './idempotent-request.js';

/** What a request came to: the row that it made, its stored result, or its refusal. */
type OutcomeColumn = 'order_id' | 'reservation_id' | 'body' | 'error';

/**
 * `select` gives `key, plain_key, fingerprint, outcome`. A row stores the key as it was sent, behind its caller, for the release before, and
 * `key_hash`, the SHA-256 of NUL and the unquoted key behind its caller, for a later release.
 */
function insertKeys(outcome: OutcomeColumn, select: string): string {
  return `INSERT INTO idempotency_keys (key, key_hash, fingerprint, ${outcome})
      SELECT key, sha256('\\x00'::bytea || convert_to(plain_key, 'UTF8')), fingerprint, outcome
      FROM (${select}) AS request (key, plain_key, fingerprint, outcome)`;
}

/**
 * A common table expression that keeps, in the statement that does the work, which row each request with a key has made. It joins
 * `placed (id, position)`; its parameters are {@link keyParametersOf} and begin with `$first`.
 */
export function keepMadeRows(outcome: 'order_id' | 'reservation_id', first: number): string {
  const select = `SELECT key, plain_key, fingerprint, placed.id
      FROM unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::text[], $${first + 3}::bigint[])
        AS sent (key, plain_key, fingerprint, position)
      JOIN placed USING (position)`;
  return `kept AS (${insertKeys(outcome, select)})`;
}

/** The parameters of {@link keepMadeRows}, by the position of each request from 1; none when no request has a key. */
export function keyParametersOf(requests: readonly (IdempotentRequest | undefined)[]): unknown[] {
  const keys = requests.filter((request) => request !== undefined);
  if (keys.length === 0) return [];
  return [
    keys.map(({ sentKey }) => sentKey),
    keys.map(({ key }) => key),
    keys.map(({ fingerprint }) => fingerprint),
    numericArray(requests.flatMap((request, index) => (request === undefined ? [] : index + 1))),
  ];
}

/** Keeps the result of a request, in its stored form. */
export function keepResult({ key, sentKey, fingerprint }: IdempotentRequest, text: string): QueryConfig {
  return {
    name: 'keep-result',
    text: insertKeys('body', 'VALUES ($1::text, $2::text, $3::text, $4::text)'),
    values: [sentKey, key, fingerprint, text],
  };
}

/** A request that was refused for good. */
export interface Refusal {
  readonly request: IdempotentRequest;
  readonly error: ApplicationError;
}

/** Keeps refusals, except for keys that have been used meanwhile; returns the keys that it has kept, as they were sent. */
export function keepRefusals(refusals: readonly Refusal[]): QueryConfig {
  const select = 'SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::jsonb[])';
  return {
    name: 'keep-errors',
    text: `${insertKeys('error', select)} ON CONFLICT (key) DO NOTHING RETURNING key`,
    values: [
      refusals.map(({ request }) => request.sentKey),
      refusals.map(({ request }) => request.key),
      refusals.map(({ request }) => request.fingerprint),
      refusals.map(({ error: { kind, code, message, members } }) => JSON.stringify({ kind, code, message, members })),
    ],
  };
}

/**
 * Forgets the oldest keys of more than `seconds`, or the oldest refusals: `limit` at most. A refusal has changed nothing, and a client
 * that sends random keys can make any number of them.
 */
export function forgetKeys(
  which: 'all' | 'refusals',
  { seconds, limit }: { seconds: number; limit: number },
): QueryConfig {
  return {
    name: `forget-${which}`,
    text: `DELETE FROM idempotency_keys WHERE key = ANY (ARRAY(
             SELECT key FROM idempotency_keys
             WHERE created_at < clock_timestamp() - $1 * interval '1 second' ${which === 'refusals' ? 'AND error IS NOT NULL' : ''}
             ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
           )) RETURNING key`,
    values: [seconds, limit],
  };
}

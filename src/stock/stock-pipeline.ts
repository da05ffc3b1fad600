import type { QueryConfig, QueryResultRow } from 'pg';
import type { Writes } from '../database/transaction-runner.js';
import { isFinal, KeyTakenError } from '../idempotency/idempotency.errors.js';
import { keepErrors, type Refusal } from '../idempotency/idempotency-keys.js';
import type { SoldItem } from '../orders/purchase/sale.js';
import type { Purchase } from './stock-request.js';

type Outcome<T> = PromiseSettledResult<T>;

/** A purchase whose stock is taken. */
export interface Taken<P extends Purchase> {
  readonly purchase: P;
  readonly items: readonly SoldItem[];
}

/** One statement for what was decided for, and what it has made of each, in their order. */
export interface TakingStatement<P extends Purchase, Row, T> {
  readonly write: (taken: readonly Taken<P>[]) => QueryConfig;
  readonly toResults: (rows: readonly Row[], taken: readonly Taken<P>[]) => readonly T[];
}

/** What is written for purchases that were decided on: what they take, and the refusals for those who may ask again. */
export function writesFor<P extends Purchase, Row extends QueryResultRow, T>(
  purchases: readonly P[],
  decisions: readonly Outcome<SoldItem[]>[],
  { write, toResults }: TakingStatement<P, Row, T>,
): Writes<Row, Outcome<T>[]> {
  const taken: Taken<P>[] = [];
  const refusals: Refusal[] = [];
  purchases.forEach((purchase, index) => {
    const decision = decisions[index];
    const { request } = purchase;
    if (decision?.status === 'fulfilled') taken.push({ purchase, items: decision.value });
    else if (request !== undefined && isFinal(decision?.reason)) refusals.push({ request, error: decision.reason });
  });
  return {
    statements: [
      ...(refusals.length > 0 ? [keepErrors(refusals)] : []), //
      ...(taken.length > 0 ? [write(taken)] : []),
    ],
    toResult: (rows, [first = []]) => {
      const results = (taken.length > 0 ? toResults(rows, taken) : []).values();
      const kept = new Set<unknown>(first.map(({ key }: { key?: unknown }) => key));
      return decisions.map((decision, index) => {
        const key = purchases[index]?.request?.sentKey;
        if (decision.status === 'rejected') {
          // Somebody has used the key since it was looked for.
          const isTaken = key !== undefined && isFinal(decision.reason) && !kept.has(key);
          return isTaken ? { status: 'rejected', reason: new KeyTakenError() } : decision;
        }
        const { value, done } = results.next();
        if (done === true) throw new Error('PostgreSQL wrote less than was taken');
        return { status: 'fulfilled', value };
      });
    },
  };
}

/**
 * A common table expression that keeps, in the statement that does the work, what was made for whom may ask again: it joins
 * `placed (id, position)`. Its parameters begin with `$first`.
 */
export function keepKeys(column: 'order_id' | 'reservation_id', first: number): string {
  return `kept AS (
      INSERT INTO idempotency_keys (key, fingerprint, ${column})
      SELECT key, fingerprint, placed.id
      FROM unnest($${first}::text[], $${first + 1}::text[], $${first + 2}::bigint[]) AS request (key, fingerprint, position)
      JOIN placed USING (position)
    ),`;
}

/** The parameters of {@link keepKeys}; none when nobody has a key. */
export function keyParametersOf(taken: readonly Taken<Purchase>[]): unknown[] {
  const keys = taken.flatMap(({ purchase: { request } }, index) =>
    request === undefined ? [] : { ...request, position: index + 1 },
  );
  if (keys.length === 0) return [];
  return [
    keys.map(({ sentKey }) => sentKey),
    keys.map(({ fingerprint }) => fingerprint),
    keys.map(({ position }) => position),
  ];
}

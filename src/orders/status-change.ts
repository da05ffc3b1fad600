import type { QueryConfig } from 'pg';
import { numericArray } from '../database/numeric-array.js';
import { ownedBy, type Owner } from '../kernel/access/owner.js';
import type { Origin } from '../runtime/request-context.js';
import { recordClaims, recordEvents } from './history/order-event-writer.js';
import { ORDER_STATUSES, type OrderStatus, TRANSITIONS } from './order-status.js';
import { moveOrders } from './order-writer.js';

/** A state that an order is moved to; it starts as `pending`, and claims have a statement of their own. */
export type ReachedStatus = Exclude<OrderStatus, 'pending' | 'processing'>;

/** An order that is to be moved, and why, for its history. */
export interface StatusChange {
  readonly orderId: number;
  readonly cause: string;
  /** Who has asked for it, if somebody has. */
  readonly origin?: Origin;
}

/** An order that is to be claimed, and the job that does it, if one does. */
export interface Claim {
  readonly orderId: number;
  readonly jobId?: string | undefined;
}

/** An order that was claimed, with all that its gateway is to know. */
export interface ClaimedOrder {
  readonly id: number;
  /** Decimal text. */
  readonly totalPrice: string;
  readonly fulfilmentKey: string | null;
  /** The request that has bought it; null for an order of a release before 1.1. */
  readonly requestId: string | null;
  /** Milliseconds since 1970. */
  readonly createdAtMs: number;
  /** Each with its product id, its quantity and its unit price as decimal text, in any order. */
  readonly items: readonly (readonly [number, number, string])[];
}

/**
 * Moves the orders of an owner on that may enter the state, writes it into their history, and gives their ids: of two that race for one order,
 * one changes the row.
 */
export function changeStatus(changes: readonly StatusChange[], to: ReachedStatus, owner: Owner = null): QueryConfig {
  const from = ORDER_STATUSES.filter((status) => TRANSITIONS[status].includes(to));
  return {
    name: 'change-status',
    text: `WITH ${moveOrders(ownedBy('$7'))} ${recordEvents(`${EVENTS} RETURNING order_id AS id`)}`,
    values: [
      numericArray(changes.map(({ orderId }) => orderId)),
      to,
      from,
      changes.map(({ cause }) => cause),
      unlessNone(changes.map(({ origin }) => origin?.requestId ?? null)),
      unlessNone(changes.map(({ origin }) => origin?.actor ?? null)),
      owner,
    ],
  };
}

/** What {@link claimOrders} gives. */
export interface Claimed {
  /** Null when there are none. */
  readonly orders: readonly ClaimedOrder[] | null;
}

/**
 * Claims the orders that are open, notes in their history which attempt it is, and gives them; with `onlyIfPending` only those that are
 * `pending`. They come in one row, which costs less than a row for each. An order in `processing` may be claimed again, by the worker
 * that takes over. Claims use `synchronous_commit = off`: if PostgreSQL crashes and loses one, the order is simply claimed again.
 */
export function claimOrders(claims: readonly Claim[], { onlyIfPending }: { onlyIfPending: boolean }): QueryConfig {
  const from: OrderStatus[] = onlyIfPending ? ['pending'] : ['pending', 'processing'];
  return {
    name: onlyIfPending ? 'claim-pending' : 'claim',
    text: `WITH ${moveOrders()}, recorded AS (
             ${recordClaims(`SELECT id, $2, 'attempt ' || ${onlyIfPending ? '1' : ATTEMPT}, ($4::text[])[array_position($1::bigint[], id)] FROM changed WHERE set_config('synchronous_commit', 'off', true) = 'off'`)}
           )
           SELECT json_agg(claimed) AS orders FROM (SELECT ${claimedFrom('changed')}) AS claimed`,
    values: [
      numericArray(claims.map(({ orderId }) => orderId)),
      'processing',
      from,
      claims.map(({ jobId }) => jobId ?? null),
    ],
  };
}

/** Reads an order as its gateway is to know it. */
export function selectClaimedOrder(id: number): QueryConfig {
  return { name: 'select-claimed-order', text: `SELECT ${claimedFrom('orders')} WHERE id = $1`, values: [id] };
}

/** Of a worker's changes no request is known: an array of nothing but null need not be sent. */
function unlessNone(names: readonly (string | null)[]): readonly (string | null)[] | null {
  return names.every((name) => name === null) ? null : names;
}

function claimedFrom(orders: 'changed' | 'orders'): string {
  return `id, total_price::text AS "totalPrice", fulfilment_key AS "fulfilmentKey",
                  (extract(epoch FROM created_at) * 1000)::float8 AS "createdAtMs", ${requestOf(orders)} AS "requestId",
                  (SELECT coalesce(json_agg(json_build_array(product_id, quantity, unit_price::text)), '[]')
                   FROM order_items WHERE order_id = ${orders}.id) AS items
           FROM ${orders}`;
}

const EVENTS = `SELECT id, $2, ($4::text[])[position], ($5::text[])[position], ($6::text[])[position]
  FROM (SELECT id, array_position($1::bigint[], id) AS position FROM changed) AS changed`;

/** The request that has bought an order: its first event names it. */
function requestOf(orders: string): string {
  return `(SELECT request_id FROM order_events WHERE order_id = ${orders}.id ORDER BY id LIMIT 1)`;
}

/** Each claim is an attempt, whether a worker tries again or takes the order over from one that died; a pending order has had none. */
const ATTEMPT = `(SELECT count(*) + 1 FROM order_events WHERE order_id = changed.id AND status = 'processing')`;

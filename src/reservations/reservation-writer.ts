import type { QueryConfig } from 'pg';
import { keepMadeRows, keyParametersOf } from '../idempotency/idempotency-key-writer.js';
import { giveBackFromCustomers } from '../stock/customers/customer-counts.js';
import {
  nameOrigins,
  PLACED,
  originParametersOf,
  recordTaken,
  releaseStock,
  takeDecided,
  takenItemParameters,
} from '../stock/stock-ledger.js';
import type { Origin } from '../runtime/request-context.js';
import type { Taken } from '../stock/pipeline/stock-request.js';
import { holderOf } from './hold-tally.js';
import type { Reservation, ReservationRequest } from './reservation.js';

// The one writer of `reservations` and `reservation_items`.

export type WrittenReservation = Pick<Reservation, 'id' | 'expiresAt' | 'createdAt'>;

/**
 * One statement that takes the stock of reservations, from rows that the transaction has locked, and writes them with their items,
 * the movements of the stock, and which reservation each idempotency key has made.
 */
export function writeReservations(reservations: readonly Taken<ReservationRequest>[]): QueryConfig {
  const seconds = reservations.map(({ asked }) => asked.seconds);
  const customers = reservations.map(({ asked }) => asked.customerRef ?? null);
  const holders = reservations.map(({ asked }) => holderOf(asked));
  const held = [seconds, customers, holders, ...takenItemParameters(reservations), ...originParametersOf(reservations)];
  const keys = keyParametersOf(reservations.map(({ asked }) => asked.request));
  if (keys.length === 0) return { name: 'hold', text: HOLD, values: held };
  return { name: 'hold-with-keys', text: HOLD_WITH_KEYS, values: [...held, ...keys] };
}

const HOLD = holdText([]);
const HOLD_WITH_KEYS = holdText([keepMadeRows('reservation_id', 11)]);

function holdText(keep: readonly string[]): string {
  const parts = [
    takeDecided(4),
    nameOrigins(9),
    `written AS (
      INSERT INTO reservations (expires_at, customer_ref, held_by)
      SELECT clock_timestamp() + seconds * interval '1 second', customer_ref, held_by
      FROM unnest($1::integer[], $2::text[], $3::text[])
        WITH ORDINALITY AS held (seconds, customer_ref, held_by, position) ORDER BY position
      RETURNING id, expires_at, created_at
    )`,
    PLACED,
    ...keep,
    `line AS MATERIALIZED (
      SELECT placed.id AS reservation_id, item.*, request_id, actor FROM item JOIN placed USING (position)
    )`,
    `filled AS (
      INSERT INTO reservation_items (reservation_id, product_id, quantity)
      SELECT reservation_id, product_id, quantity FROM line
    )`,
    recordTaken('hold', 'reservation_id'),
  ];
  return `WITH ${parts.join(',\n    ')}
    SELECT id, expires_at AS "expiresAt", created_at AS "createdAt" FROM written ORDER BY id`;
}

/** Closes the reservation `$1`, unless its time is up by now, in the statement that writes its order, `written (id)`. */
export const CONFIRM_RESERVATION = `
    UPDATE reservations SET status = 'confirmed', order_id = written.id
    FROM written WHERE reservations.id = $1 AND status = 'held' AND expires_at > clock_timestamp()`;

/** Closes a reservation whose row is locked, and that is held. */
export function releaseReservation(id: number): QueryConfig {
  return {
    name: 'release-reservation-row',
    text: `UPDATE reservations SET status = 'released' WHERE id = $1`,
    values: [id],
  };
}

/** Locks those of the reservations whose time is up and whose row no other transaction locks; gives their ids. It never waits. */
export function lockDueReservations(ids: readonly number[]): QueryConfig {
  return {
    name: 'lock-due-reservations',
    text: `SELECT id FROM reservations
           WHERE id = ANY ($1::bigint[]) AND status = 'held' AND expires_at <= clock_timestamp() FOR UPDATE SKIP LOCKED`,
    values: [ids],
  };
}

/** Closes reservations whose rows are locked, and whose time is up. */
export function expireReservations(ids: readonly number[]): QueryConfig {
  return {
    name: 'expire-reservations',
    text: `UPDATE reservations SET status = 'expired' WHERE id = ANY ($1::bigint[])`,
    values: [ids],
  };
}

/** Removes the reservations that were released or have expired longest ago, more than `seconds`: `limit` at most; gives their ids. */
export function removeEndedReservations({ seconds, limit }: { seconds: number; limit: number }): QueryConfig {
  return {
    name: 'remove-ended-reservations',
    text: `WITH ended AS MATERIALIZED (
             SELECT id FROM reservations
             WHERE status IN ('released', 'expired') AND updated_at < clock_timestamp() - $1 * interval '1 second'
             ORDER BY updated_at LIMIT $2 FOR UPDATE SKIP LOCKED
           ), emptied AS (
             DELETE FROM reservation_items WHERE reservation_id IN (SELECT id FROM ended)
           )
           DELETE FROM reservations WHERE id IN (SELECT id FROM ended) RETURNING id`,
    values: [seconds, limit],
  };
}

/** The items of the reservations `$1`, as `releaseStock` wants them. */
const ITEMS = `SELECT reservation_id AS owner_id, product_id, quantity FROM reservation_items
       WHERE reservation_id = ANY ($1::bigint[])`;

/** What the customers of reservations give back of what they may have, in the transaction that has put the stock back. */
export function giveBackHeld(ids: readonly number[]): QueryConfig {
  return giveBackFromCustomers('reservations', LINES, ids);
}

const LINES = `SELECT customer_ref, product_id, quantity FROM reservations JOIN reservation_items ON reservation_id = reservations.id
  WHERE reservations.id = ANY ($1::bigint[])`;

/** Gives the stock of reservations back, in the transaction that has closed them. */
export function releaseHeldStock(ids: readonly number[], reason: string, origin?: Origin): QueryConfig {
  return releaseStock({ owner: 'reservation_id', items: ITEMS, ids, reason, origin });
}

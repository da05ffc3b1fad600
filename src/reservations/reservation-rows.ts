import type { EntityManager } from 'typeorm';
import { formatCents } from '../kernel/money.js';
import type { WrittenOrder } from '../orders/purchase/sale.js';
import { type PricedItem, totalOf } from '../stock/priced-item.js';
import { ReservationClosedError, ReservationNotFoundError } from './reservation.errors.js';
import type { Reservation } from './reservation.js';

/**
 * A reservation, with `lock` for a change of it. One whose time is up is `expired`, by PostgreSQL's clock, also before the
 * sweep has come to it: it is never sold.
 *
 * @throws ReservationNotFoundError
 */
export async function selectReservation(
  manager: EntityManager,
  id: number,
  { lock }: { lock: boolean },
): Promise<Reservation> {
  if (lock) await manager.query('SELECT FROM reservations WHERE id = $1 FOR UPDATE', [id]);
  const [reservation] = await manager.query<Reservation[]>(
    `SELECT id, CASE WHEN status = 'held' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END AS status,
            expires_at AS "expiresAt", order_id AS "orderId", created_at AS "createdAt", updated_at AS "updatedAt",
            (SELECT json_agg(json_build_object('productId', product_id, 'quantity', quantity) ORDER BY product_id)
             FROM reservation_items WHERE reservation_id = id) AS items
     FROM reservations WHERE id = $1`,
    [id],
  );
  if (reservation === undefined) throw new ReservationNotFoundError(id);
  return reservation;
}

/**
 * Writes the order of a reservation whose row is locked, and closes the reservation.
 *
 * @throws ReservationClosedError when its time is up by now.
 */
export async function confirmReservation(
  manager: EntityManager,
  id: number,
  items: readonly PricedItem[],
): Promise<WrittenOrder> {
  const [rows]: [WrittenOrder[], number] = await manager.query(
    `WITH written AS (
       INSERT INTO orders (total_price) VALUES ($2) RETURNING id, created_at
     ), filled AS (
       INSERT INTO order_items (order_id, product_id, quantity, unit_price)
       SELECT id, product_id, quantity, unit_price
       FROM written CROSS JOIN unnest($3::bigint[], $4::integer[], $5::numeric[]) AS item (product_id, quantity, unit_price)
     ), begun AS (
       INSERT INTO order_events (order_id, status, cause)
       SELECT id, 'pending', 'reservation ' || $1::bigint || ' confirmed' FROM written
     )
     UPDATE reservations SET status = 'confirmed', order_id = written.id
     FROM written WHERE reservations.id = $1 AND status = 'held' AND expires_at > clock_timestamp()
     RETURNING written.id, written.created_at AS "createdAt"`,
    [
      id,
      formatCents(totalOf(items)),
      items.map(({ productId }) => productId),
      items.map(({ quantity }) => quantity),
      items.map(({ unitPrice }) => formatCents(unitPrice)),
    ],
  );
  const [written] = rows;
  // Its time was up while the products were waited for.
  if (written === undefined) throw new ReservationClosedError({ id, status: 'expired', orderId: null });
  return written;
}

/** Reservations whose time is up, the oldest first. */
export async function findLapsed(manager: EntityManager, limit: number): Promise<number[]> {
  const rows = await manager.query<{ id: number }[]>(
    `SELECT id FROM reservations WHERE status = 'held' AND expires_at <= clock_timestamp() ORDER BY expires_at LIMIT $1`,
    [limit],
  );
  return rows.map(({ id }) => id);
}

/** Closes those of the reservations whose time is up, but for those that somebody is just ending; returns their ids. */
export async function expireReservations(manager: EntityManager, ids: readonly number[]): Promise<number[]> {
  const [rows]: [{ id: number }[], number] = await manager.query(
    `UPDATE reservations SET status = 'expired' WHERE id = ANY (ARRAY(
       SELECT id FROM reservations
       WHERE id = ANY ($1::bigint[]) AND status = 'held' AND expires_at <= clock_timestamp() FOR UPDATE SKIP LOCKED
     )) RETURNING id`,
    [ids],
  );
  return rows.map(({ id }) => id);
}

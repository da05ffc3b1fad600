import type { EntityManager } from 'typeorm';
import { type OwnedId, ownedBy } from '../kernel/access/owner.js';
import { ReservationClosedError, ReservationNotFoundError } from './reservation.errors.js';
import type { Reservation } from './reservation.js';

/**
 * A reservation. One whose time is up is `expired`, by PostgreSQL's clock, even if the background task has not updated the
 * row yet: it is never sold.
 *
 * @throws ReservationNotFoundError
 */
export async function selectReservation(manager: EntityManager, { id, owner }: OwnedId): Promise<Reservation> {
  const [reservation] = await manager.query<Reservation[]>(
    `SELECT id, CASE WHEN status = 'held' AND expires_at <= clock_timestamp() THEN 'expired' ELSE status END AS status,
            expires_at AS "expiresAt", customer_ref AS "customerRef", order_id AS "orderId", created_at AS "createdAt", updated_at AS "updatedAt",
            (SELECT json_agg(json_build_object('productId', product_id, 'quantity', quantity) ORDER BY product_id)
             FROM reservation_items WHERE reservation_id = reservations.id) AS items
     FROM reservations WHERE id = $1 AND ${ownedBy('$2')}`,
    [id, owner],
  );
  if (reservation === undefined) throw new ReservationNotFoundError(id);
  return reservation;
}

/** The same with its row locked: whoever ends a reservation holds this lock, so it ends once. */
export async function lockReservation(manager: EntityManager, { id, owner }: OwnedId): Promise<Reservation> {
  await manager.query(`SELECT FROM reservations WHERE id = $1 AND ${ownedBy('$2')} FOR UPDATE`, [id, owner]);
  return selectReservation(manager, { id, owner });
}

/** The same of a reservation that still holds its stock. @throws ReservationNotFoundError, ReservationClosedError */
export async function lockHeldReservation(manager: EntityManager, owned: OwnedId): Promise<Reservation> {
  const reservation = await lockReservation(manager, owned);
  const { status } = reservation;
  if (status !== 'held') throw new ReservationClosedError({ ...reservation, status });
  return reservation;
}

/** A reservation whose time is up. */
export interface DueReservation {
  readonly id: number;
  readonly productIds: readonly number[];
  /** As PostgreSQL writes it, in microseconds. */
  readonly expiresAt: string;
}

/** Up to `limit` reservations whose time is up, the oldest first, from the one behind `after` on. */
export async function findDue(
  manager: EntityManager,
  { after, limit }: { after: DueReservation | undefined; limit: number },
): Promise<DueReservation[]> {
  return manager.query<DueReservation[]>(
    `SELECT id, expires_at::text AS "expiresAt",
            ARRAY(SELECT product_id FROM reservation_items WHERE reservation_id = reservations.id) AS "productIds"
     FROM reservations
     WHERE status = 'held' AND expires_at <= clock_timestamp() AND (expires_at, id) > ($1::timestamptz, $2::bigint)
     ORDER BY expires_at, id LIMIT $3`,
    [after?.expiresAt ?? '-infinity', after?.id ?? 0, limit],
  );
}

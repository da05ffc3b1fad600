import type { RequestedItem } from '../stock/requested-item.js';
import type { StockRequest, Taken } from '../stock/pipeline/stock-request.js';
import type { WrittenReservation } from './reservation-writer.js';

/**
 * The life of a reservation: `held` takes its stock; it becomes an order (`confirmed`), which takes the stock over, or
 * gives it back, when the customer lets go (`released`) or its time is up (`expired`). It leaves `held` once.
 */
export const RESERVATION_STATUSES = ['held', 'confirmed', 'released', 'expired'] as const;

export type ReservationStatus = (typeof RESERVATION_STATUSES)[number];

/** How long stock may be held. */
export const MAX_TTL_SECONDS = 3_600;
export const DEFAULT_TTL_SECONDS = 900;

/** Stock that is to be held for a checkout. */
export interface ReservationRequest extends StockRequest {
  /** From 1 to {@link MAX_TTL_SECONDS}. */
  readonly seconds: number;
}

export interface Reservation {
  readonly id: number;
  readonly status: ReservationStatus;
  readonly items: readonly RequestedItem[];
  readonly expiresAt: Date;
  /** The shop's own id of the buyer. */
  readonly customerRef: string | null;
  /** The order that it has become. */
  readonly orderId: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** Reservations as they stand in the database after their commit. */
export function toReservations(
  written: readonly WrittenReservation[],
  taken: readonly Taken<ReservationRequest>[],
): Reservation[] {
  return written.map((row, index) => {
    const { asked, items: held = [] } = taken[index] ?? {};
    const items = held.map(({ productId, quantity }) => ({ productId, quantity }));
    const customerRef = asked?.customerRef ?? null;
    return { ...row, status: 'held', items, customerRef, orderId: null, updatedAt: row.createdAt };
  });
}

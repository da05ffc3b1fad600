import { ApplicationError } from '../kernel/application-error.js';
import type { Reservation } from './reservation.js';

export class ReservationNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'RESERVATION_NOT_FOUND';

  constructor(id: number) {
    super(`Reservation with ID ${id} not found`);
  }
}

/** The holder has as much of the product as `HOLD_LIMIT` allows. */
export class HoldLimitError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'HOLD_LIMIT';
  override readonly members: { readonly limit: number; readonly held: number };

  constructor(productId: number, { limit, held }: { readonly limit: number; readonly held: number }) {
    super(`Of product ${productId} you can hold ${limit} now, and hold ${held}`);
    this.members = { limit, held };
  }
}

/** The customer has as many reservations as one may have at a time. */
export class TooManyReservationsError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code = 'TOO_MANY_RESERVATIONS';
  override readonly members: { readonly limit: number };

  constructor(limit: number) {
    super(`A customer can have ${limit} reservations at a time; buy or release one first`);
    this.members = { limit };
  }
}

/** The reservation no longer holds anything. */
export class ReservationClosedError extends ApplicationError {
  readonly kind = 'conflict';
  readonly code: 'RESERVATION_CONFIRMED' | 'RESERVATION_RELEASED' | 'RESERVATION_EXPIRED';

  constructor({
    id,
    status,
    orderId,
  }: Pick<Reservation, 'id' | 'orderId'> & { status: 'confirmed' | 'released' | 'expired' }) {
    super(`Reservation with ID ${id} ${status === 'confirmed' ? `has become order ${orderId}` : `is ${status}`}`);
    const codes = {
      confirmed: 'RESERVATION_CONFIRMED',
      released: 'RESERVATION_RELEASED',
      expired: 'RESERVATION_EXPIRED',
    } as const;
    this.code = codes[status];
  }
}

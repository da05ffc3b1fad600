import { ApplicationError } from '../kernel/application-error.js';
import type { Reservation } from './reservation.js';

export class ReservationNotFoundError extends ApplicationError {
  readonly kind = 'not_found';
  readonly code = 'RESERVATION_NOT_FOUND';

  constructor(id: number) {
    super(`Reservation with ID ${id} not found`);
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

import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { ReservationExpiry } from '../../src/reservations/reservation-expiry.js';
import { StockChanges } from '../../src/stock/stock-changes.js';
import type { Api } from './api.js';

/** The worker's expiry of reservations, without a worker: a test runs it when it wants. */
export function expiryOf({ app }: Api): ReservationExpiry {
  return new ReservationExpiry(app.get(TransactionRunner, { strict: false }), app.get(StockChanges, { strict: false }));
}

import type { QueryConfig } from 'pg';
import type { Writes } from '../database/transaction-runner.js';
import { keepKeys, keyParametersOf, type Taken, writesFor } from '../stock/stock-pipeline.js';
import type { SoldItem } from '../orders/purchase/sale.js';
import type { Purchase } from '../stock/stock-request.js';
import type { RequestedItem } from '../stock/requested-item.js';

/**
 * The life of a reservation: `held` takes its stock; it becomes an order (`confirmed`), which takes the stock over, or
 * gives it back, when the customer lets go (`released`) or its time is up (`expired`). It leaves `held` once.
 */
export const RESERVATION_STATUSES = ['held', 'confirmed', 'released', 'expired'] as const;

export type ReservationStatus = (typeof RESERVATION_STATUSES)[number];

/** Stock to be held for a checkout, for some seconds. */
export interface Hold extends Purchase {
  readonly seconds: number;
}

export interface Reservation {
  readonly id: number;
  readonly status: ReservationStatus;
  readonly items: readonly RequestedItem[];
  readonly expiresAt: Date;
  /** What it became. */
  readonly orderId: number | null;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

type WrittenHold = Pick<Reservation, 'id' | 'expiresAt' | 'createdAt'>;

/** Takes the stock of what was decided for, from rows that the transaction has locked, and writes the reservations. */
export function holdOf(
  holds: readonly Hold[],
  decisions: readonly PromiseSettledResult<SoldItem[]>[],
): Writes<WrittenHold, PromiseSettledResult<Reservation>[]> {
  return writesFor(holds, decisions, {
    write: hold,
    toResults: (written: readonly WrittenHold[], taken) =>
      written.map((row, index) => {
        const items = (taken[index]?.items ?? []).map(({ productId, quantity }) => ({ productId, quantity }));
        return { ...row, status: 'held' as const, items, orderId: null, updatedAt: row.createdAt };
      }),
  });
}

/** One statement, as a sale is. */
function hold(holds: readonly Taken<Hold>[]): QueryConfig {
  const items = holds.flatMap((each, index) => each.items.map((item) => ({ ...item, position: index + 1 })));
  const held = [
    holds.map(({ purchase }) => purchase.seconds),
    items.map(({ position }) => position),
    items.map(({ productId }) => productId),
    items.map(({ quantity }) => quantity),
    items.map(({ stockAfter }) => stockAfter),
  ];
  const kept = keyParametersOf(holds);
  if (kept.length === 0) return { name: 'hold', text: holdText(''), values: held };
  return { name: 'hold-with-keys', text: holdText(keepKeys('reservation_id', 6)), values: [...held, ...kept] };
}

function holdText(keep: string): string {
  return `WITH item AS MATERIALIZED (
      SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::integer[], $5::integer[])
        WITH ORDINALITY AS item (position, product_id, quantity, stock_after, turn)
    ), taken AS (
      UPDATE products SET stock = stock - units
      FROM (SELECT product_id, sum(quantity) AS units FROM item GROUP BY product_id) AS held
      WHERE products.id = held.product_id AND products.id = ANY ($3::bigint[])
    ), written AS (
      INSERT INTO reservations (expires_at)
      SELECT clock_timestamp() + seconds * interval '1 second'
      FROM unnest($1::integer[]) WITH ORDINALITY AS held (seconds, position) ORDER BY position
      RETURNING id, expires_at, created_at
    ), placed AS (
      SELECT id, row_number() OVER (ORDER BY id) AS position FROM written
    ), ${keep} line AS MATERIALIZED (
      SELECT placed.id AS reservation_id, item.* FROM item JOIN placed USING (position)
    ), filled AS (
      INSERT INTO reservation_items (reservation_id, product_id, quantity)
      SELECT reservation_id, product_id, quantity FROM line
    ), moved AS (
      INSERT INTO stock_movements (product_id, kind, quantity, stock_after, reservation_id)
      SELECT product_id, 'hold', -quantity, stock_after, reservation_id FROM line ORDER BY turn
    )
    SELECT id, expires_at AS "expiresAt", created_at AS "createdAt" FROM written ORDER BY id`;
}

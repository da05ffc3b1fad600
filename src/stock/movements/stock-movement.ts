import type { QueryConfig } from 'pg';

/**
 * What changed a stock: it was there from the start, was adjusted, sold, held for a checkout, or came back. A correction changes none: it
 * makes a ledger tell the stock again that somebody has got round.
 */
export const MOVEMENT_KINDS = ['initial', 'adjustment', 'correction', 'sale', 'hold', 'release'] as const;

/** One change of one product's stock. Movements of a product ascend by id in the order in which they took place. */
export interface StockMovement {
  readonly id: number;
  readonly productId: number;
  readonly kind: (typeof MOVEMENT_KINDS)[number];
  /** Units, negative when they left. */
  readonly quantity: number;
  readonly stockAfter: number;
  /** Of a sale and of its release. */
  readonly orderId: number | null;
  /** Of a hold and of its release. */
  readonly reservationId: number | null;
  readonly reason: string | null;
  /** Who has asked for it; null for what a worker did, where nobody is asked, and for a movement of an older release. */
  readonly actor: string | null;
  /** Of the request that has asked for it. */
  readonly requestId: string | null;
  readonly createdAt: Date;
}

/** The columns of a {@link StockMovement} in SQL. */
export const MOVEMENT_COLUMNS = `id, product_id AS "productId", kind, quantity, stock_after AS "stockAfter",
  order_id AS "orderId", reservation_id AS "reservationId", reason, actor, request_id AS "requestId", created_at AS "createdAt"`;

/** The newest movements below an id, `count` at most. */
export function selectMovements(productId: number, { before, count }: { before: number; count: number }): QueryConfig {
  return {
    name: 'select-movements',
    text: `SELECT ${MOVEMENT_COLUMNS} FROM stock_movements WHERE product_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    values: [productId, before, count],
  };
}

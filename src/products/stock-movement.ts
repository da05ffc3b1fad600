import type { QueryConfig } from 'pg';

/** What changed a stock: it was there from the start, was counted or corrected, was sold, or came back from an order. */
export const MOVEMENT_KINDS = ['initial', 'adjustment', 'sale', 'release'] as const;

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
  readonly reason: string | null;
  readonly createdAt: Date;
}

const COLUMNS = `id, product_id AS "productId", kind, quantity, stock_after AS "stockAfter", order_id AS "orderId", reason,
                 created_at AS "createdAt"`;

/** The newest movements below an id, `count` at most. */
export function selectMovements(productId: number, { before, count }: { before: number; count: number }): QueryConfig {
  return {
    name: 'select-movements',
    text: `SELECT ${COLUMNS} FROM stock_movements WHERE product_id = $1 AND id < $2 ORDER BY id DESC LIMIT $3`,
    values: [productId, before, count],
  };
}

/** Records an adjustment of a product whose row is locked, before the row is changed: the database compares the two. */
export function insertAdjustment(
  productId: number,
  { delta, stockAfter, reason }: { delta: number; stockAfter: number; reason: string },
): QueryConfig & { text: string } {
  return {
    text: `INSERT INTO stock_movements (product_id, kind, quantity, stock_after, reason)
           VALUES ($1, 'adjustment', $2, $3, $4) RETURNING ${COLUMNS}`,
    values: [productId, delta, stockAfter, reason],
  };
}

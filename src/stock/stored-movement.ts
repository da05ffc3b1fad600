import { storedAsJson } from '../kernel/stored-json.js';
import type { StockMovement } from './stock-movement.js';

interface Stored extends Pick<StockMovement, 'id' | 'kind' | 'quantity' | 'reason'> {
  readonly product_id: number;
  readonly stock_after: number;
  readonly order_id: number | null;
  readonly reservation_id: number | null;
  readonly created_at: string;
}

/** How an adjustment is kept with its idempotency key. See docs/decisions/0015-kept-results.md. */
export const storedMovement = storedAsJson({
  write: ({ id, productId, kind, quantity, stockAfter, orderId, reservationId, reason, createdAt }: StockMovement) =>
    ({
      id,
      kind,
      quantity,
      reason,
      product_id: productId,
      stock_after: stockAfter,
      order_id: orderId,
      reservation_id: reservationId,
      created_at: createdAt.toISOString(),
    }) satisfies Stored,
  read: ({ product_id, stock_after, order_id, reservation_id, created_at, ...same }: Stored) => {
    return {
      ...same,
      productId: product_id,
      stockAfter: stock_after,
      orderId: order_id,
      reservationId: reservation_id,
      createdAt: new Date(created_at),
    };
  },
});

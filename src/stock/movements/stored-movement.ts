import { storedAsJson } from '../../kernel/stored-json.js';
import type { StockMovement } from './stock-movement.js';

interface Stored extends Pick<StockMovement, 'id' | 'kind' | 'quantity' | 'reason'> {
  readonly product_id: number;
  readonly stock_after: number;
  readonly order_id: number | null;
  readonly reservation_id: number | null;
  readonly created_at: string;
  /** Absent in what an older release has kept. */
  readonly actor?: string | null;
  readonly request_id?: string | null;
}

/** How an adjustment is kept with its idempotency key. See docs/decisions/0015-kept-results.md. */
export const storedMovement = storedAsJson({
  write: ({ productId, stockAfter, orderId, reservationId, requestId, createdAt, ...same }: StockMovement) =>
    ({
      ...same,
      product_id: productId,
      stock_after: stockAfter,
      order_id: orderId,
      reservation_id: reservationId,
      request_id: requestId,
      created_at: createdAt.toISOString(),
    }) satisfies Stored,
  read: ({ product_id, stock_after, order_id, reservation_id, request_id, actor, created_at, ...same }: Stored) => {
    return {
      ...same,
      actor: actor ?? null,
      requestId: request_id ?? null,
      productId: product_id,
      stockAfter: stock_after,
      orderId: order_id,
      reservationId: reservation_id,
      createdAt: new Date(created_at),
    };
  },
});

import type { SpanContext } from '@opentelemetry/api';
import type { Origin } from '../../runtime/request-context.js';
import type { IdempotentRequest } from '../../idempotency/idempotent-request.js';
import type { RequestedItem } from '../requested-item.js';

/** Stock that is asked for, to be bought or to be held: each product once, all items or none. */
export interface StockRequest {
  readonly items: readonly RequestedItem[];
  /** Present when the request may be sent again. */
  readonly request?: IdempotentRequest;
  /** The shop's own id of the buyer, if it is known. */
  readonly customerRef?: string | null;
  /** Who asks. */
  readonly origin?: Origin;
  /** The span of whoever asks. */
  readonly trace?: SpanContext | undefined;
}

/** A request whose stock is taken. */
export interface Taken<R extends StockRequest> {
  readonly asked: R;
  readonly items: readonly TakenItem[];
}

/** An item whose stock is taken, at the price of this moment. */
export interface TakenItem extends RequestedItem {
  /** In cents. */
  readonly unitPrice: bigint;
  /** Units that are left of the product after this item. */
  readonly stockAfter: number;
}

/** The products of requests, each once. */
export function productIdsOf(requests: readonly Pick<StockRequest, 'items'>[]): number[] {
  const ids = new Set<number>();
  for (const { items } of requests) for (const { productId } of items) ids.add(productId);
  return [...ids];
}

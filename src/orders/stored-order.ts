import { type JsonNumber, toJsonNumber } from '../kernel/json-number.js';
import { parseCents } from '../kernel/money.js';
import { storedAsJson, type StoredNumber } from '../kernel/stored-json.js';
import { OrderItem } from './order-item.entity.js';
import type { OrderStatus } from './order-status.js';
import { Order } from './order.entity.js';

interface Stored<Money> {
  readonly id: number;
  readonly product_id: number | null;
  readonly quantity: number;
  readonly total_price: Money;
  readonly status: OrderStatus;
  /** Absent in what a release before 1.1 has kept. */
  readonly customer_ref?: string | null;
  readonly items: readonly {
    readonly product_id: number;
    readonly quantity: number;
    readonly unit_price: Money;
    readonly line_total: Money;
  }[];
  readonly created_at: string;
  readonly updated_at: string;
}

/** How an order is kept with an idempotency key, as it was then. See docs/decisions/0015-kept-results.md. */
export const storedOrder = storedAsJson({
  write: ({ id, totalPrice, status, customerRef, items, createdAt, updatedAt }: Order) =>
    ({
      id,
      product_id: items.length === 1 ? (items[0]?.productId ?? null) : null,
      quantity: items.reduce((sum, { quantity }) => sum + quantity, 0),
      total_price: toJsonNumber(totalPrice),
      status,
      customer_ref: customerRef,
      items: items
        .toSorted((a, b) => a.productId - b.productId)
        .map(({ productId, quantity, unitPrice }) => ({
          product_id: productId,
          quantity,
          unit_price: toJsonNumber(unitPrice),
          line_total: toJsonNumber(unitPrice * BigInt(quantity)),
        })),
      created_at: createdAt.toISOString(),
      updated_at: updatedAt.toISOString(),
    }) satisfies Stored<JsonNumber>,
  read: ({ id, total_price, status, customer_ref, items, created_at, updated_at }: Stored<StoredNumber>) => {
    return Object.assign(new Order(), {
      id,
      status,
      customerRef: customer_ref ?? null,
      totalPrice: parseCents(String(total_price)),
      createdAt: new Date(created_at),
      updatedAt: new Date(updated_at),
      items: items.map(({ product_id, quantity, unit_price }) =>
        Object.assign(new OrderItem(), {
          orderId: id,
          productId: product_id,
          quantity,
          unitPrice: parseCents(String(unit_price)),
        }),
      ),
    });
  },
});

import type { QueryConfig } from 'pg';
import { type OwnedId, ownedBy } from '../kernel/access/owner.js';
import { parseCents } from '../kernel/money.js';
import { OrderItem } from './order-item.entity.js';
import { Order } from './order.entity.js';

/** What a statement reads `FROM`: the `orders` that are asked for by {@link askedValues}. What is another's is not among them. */
export const ASKED_ORDERS = `unnest($1::bigint[], $2::text[]) WITH ORDINALITY AS asked (asked_id, owner, place)
  JOIN orders ON orders.id = asked_id AND ${ownedBy('asked.owner')}`;

export function askedValues(asked: readonly OwnedId[]): unknown[] {
  return [asked.map(({ id }) => id), asked.map(({ owner }) => owner)];
}

/** A row of an order that was asked for. */
export interface AskedRow {
  /** Its place among those that were asked for, from 1. */
  readonly place: number;
}

/** As the driver gives it: `numeric` as text. */
export interface OrderRow extends AskedRow, Omit<Order, 'totalPrice' | 'items'> {
  readonly totalPrice: string;
}

/** An order with one of its items, or with nulls. */
export type OrderItemRow = OrderRow &
  (
    { readonly productId: number; readonly quantity: number; readonly unitPrice: string } | { readonly productId: null }
  );

const COLUMNS = `place, orders.id, orders.total_price AS "totalPrice", orders.status, orders.customer_ref AS "customerRef",
  orders.created_at AS "createdAt", orders.updated_at AS "updatedAt"`;

/** A row for each order that there is. */
export function selectOrders(asked: readonly OwnedId[]): QueryConfig {
  return { name: 'select-orders', text: `SELECT ${COLUMNS} FROM ${ASKED_ORDERS}`, values: askedValues(asked) };
}

/** A row for each item of them. */
export function selectOrderItems(asked: readonly OwnedId[]): QueryConfig {
  return {
    name: 'select-order-items',
    text: `SELECT ${COLUMNS}, item.product_id AS "productId", item.quantity, item.unit_price AS "unitPrice"
           FROM ${ASKED_ORDERS} LEFT JOIN order_items AS item ON item.order_id = orders.id`,
    values: askedValues(asked),
  };
}

/** An order without its items, as it stands in its row. */
export function toOrder([{ id, totalPrice, status, customerRef, createdAt, updatedAt }]: readonly [
  OrderRow,
  ...OrderRow[],
]): Order {
  return Object.assign(new Order(), {
    id,
    totalPrice: parseCents(totalPrice),
    status,
    customerRef,
    createdAt,
    updatedAt,
  });
}

/** An order with its items. */
export function toWholeOrder(rows: readonly [OrderItemRow, ...OrderItemRow[]]): Order {
  const order = toOrder(rows);
  order.items = rows.flatMap((row) => {
    if (row.productId === null) return [];
    const { productId, quantity, unitPrice } = row;
    return Object.assign(new OrderItem(), { orderId: order.id, productId, quantity, unitPrice: parseCents(unitPrice) });
  });
  return order;
}

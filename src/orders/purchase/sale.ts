import type { QueryConfig } from 'pg';
import { numericArray } from '../../database/numeric-array.js';
import { keepMadeRows, keyParametersOf } from '../../idempotency/idempotency-key-writer.js';
import { formatCents } from '../../kernel/money.js';
import { type PricedItem, totalOf } from '../../stock/priced-item.js';
import {
  nameOrigins,
  nullsLeftOut,
  originParametersOf,
  PLACED,
  recordTaken,
  takeDecided,
  takenItemParameters,
} from '../../stock/stock-ledger.js';
import type { StockRequest, Taken } from '../../stock/pipeline/stock-request.js';
import { recordEvents } from '../history/order-event-writer.js';
import { OrderItem } from '../order-item.entity.js';
import { Order } from '../order.entity.js';
import { INSERT_ITEMS, insertOrders, NEW_FULFILMENT_KEY } from '../order-writer.js';

/** What a client wants to buy. */
export type Purchase = StockRequest;

/** An order that is written, without its items. */
export type WrittenOrder = Pick<Order, 'id' | 'createdAt' | 'customerRef'>;

/** What a sale of several orders gives: their ids, ascending and so in their order, and the one moment of all of them. */
export interface WrittenOrders {
  readonly ids: readonly number[];
  readonly createdAt: Date;
}

/**
 * One statement that takes the stock of purchases, from rows that the transaction has locked, and writes the orders with their
 * items, the movements of the stock, the first event of each order, and which order each idempotency key has made.
 */
export function writeSale(sales: readonly Taken<Purchase>[]): QueryConfig {
  const totals = numericArray(sales.map(({ items }) => formatCents(totalOf(items))));
  const customers = nullsLeftOut(sales.map(({ asked }) => asked.customerRef ?? null));
  const sold = [totals, customers, ...takenItemParameters(sales), ...originParametersOf(sales)];
  const keys = keyParametersOf(sales.map(({ asked }) => asked.request));
  if (keys.length === 0) return { name: 'sell', text: SELL, values: sold };
  return { name: 'sell-with-keys', text: SELL_WITH_KEYS, values: [...sold, ...keys] };
}

/** The orders of a sale. */
export function toOrders([written]: readonly WrittenOrders[], sales: readonly Taken<Purchase>[]): Order[] {
  if (written?.ids.length !== sales.length) throw new Error('PostgreSQL wrote fewer orders than were sold');
  const { createdAt } = written;
  return written.ids.map((id, index) => {
    const sale = sales[index];
    return toOrder({ id, createdAt, customerRef: sale?.asked.customerRef ?? null }, sale?.items ?? []);
  });
}

/** The order as it stands in the database after its commit. */
export function toOrder({ id, createdAt, customerRef }: WrittenOrder, priced: readonly PricedItem[]): Order {
  const items = priced.map(({ productId, quantity, unitPrice }) =>
    Object.assign(new OrderItem(), { orderId: id, productId, quantity, unitPrice }),
  );
  const written = { id, status: 'pending', customerRef, createdAt, updatedAt: createdAt };
  return Object.assign(new Order(), { ...written, totalPrice: totalOf(priced), items });
}

/** The first event of each order in `placed (id, request_id, actor)`. */
export const BEGUN = `begun AS (${recordEvents(`SELECT id, 'pending', 'bought', request_id, actor FROM placed`)})`;

const SELL = sellText([]);
const SELL_WITH_KEYS = sellText([keepMadeRows('order_id', 10)]);

function sellText(keep: readonly string[]): string {
  const parts = [
    takeDecided(3),
    nameOrigins(8),
    insertOrders(`
      SELECT total_price, ${NEW_FULFILMENT_KEY}, customer_ref
      FROM unnest($1::numeric[], $2::text[]) WITH ORDINALITY AS sold (total_price, customer_ref, position)
      ORDER BY position`),
    PLACED,
    ...keep,
    `line AS MATERIALIZED (
      SELECT placed.id AS order_id, item.*, request_id, actor FROM item JOIN placed USING (position)
    )`,
    INSERT_ITEMS,
    recordTaken('sale', 'order_id'),
    BEGUN,
  ];
  return `WITH ${parts.join(',\n    ')}
    SELECT array_agg(id ORDER BY id) AS ids, min(created_at) AS "createdAt" FROM written`;
}

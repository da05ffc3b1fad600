import type { QueryConfig } from 'pg';
import { formatCents, parseCents } from '../../kernel/money.js';
import { LockTimeoutError } from '../../database/database-errors.js';
import type { Writes } from '../../database/transaction-runner.js';
import { KeyTakenError } from '../../idempotency/idempotency.errors.js';
import { keepKeys, keyParametersOf, type Taken, writesFor } from '../../stock/stock-pipeline.js';
import { OrderItem } from '../order-item.entity.js';
import { Order } from '../order.entity.js';
import { type PricedItem, priceItems, totalOf } from '../../stock/priced-item.js';
import type { Purchase } from '../../stock/stock-request.js';

type Outcome<T> = PromiseSettledResult<T>;

/** A product of a batch as it is under its lock; without price and stock when somebody else holds the lock. */
export interface LockedProduct {
  readonly id: number;
  /** Decimal text. */
  readonly price: string | null;
  readonly stock: number | null;
}

/** What PostgreSQL makes of an order that is written. */
export type WrittenOrder = Pick<Order, 'id' | 'createdAt'>;

/** An item that is sold, and the stock that it leaves. */
export interface SoldItem extends PricedItem {
  readonly stockAfter: number;
}

/** What a sale of several orders gives: their ids, ascending and so in their order, and the one moment of all of them. */
interface WrittenOrders {
  readonly ids: readonly number[];
  readonly createdAt: Date;
}

/** What a batch finds under its locks. */
export interface Found {
  readonly locked: readonly LockedProduct[];
  /** Idempotency keys that have been used. */
  readonly takenKeys: readonly string[];
}

/**
 * Decides on each purchase in turn, each against the stock that those before it left. A purchase of a product that
 * somebody else holds is refused with a `LockTimeoutError`, and one whose key was used with a `KeyTakenError`.
 */
export function decide(purchases: readonly Purchase[], { locked, takenKeys }: Found): Outcome<SoldItem[]>[] {
  const held = new Set<number>();
  const taken = new Set(takenKeys);
  const products = new Map<number, { readonly price: bigint; stock: number }>();
  for (const { id, price, stock } of locked) {
    if (price === null || stock === null) held.add(id);
    else products.set(id, { price: parseCents(price), stock });
  }
  return purchases.map(({ items, request }) => {
    try {
      if (request !== undefined) useKey(request.key, taken);
      if (held.size > 0 && items.some(({ productId }) => held.has(productId))) throw new LockTimeoutError();
      const priced = priceItems(items, products);
      totalOf(priced);
      return { status: 'fulfilled', value: priced.map((item) => ({ ...item, stockAfter: take(item, products) })) };
    } catch (reason) {
      return { status: 'rejected', reason };
    }
  });
}

/**
 * Takes the stock of what was decided for, from rows that the transaction has locked, and writes the orders with their items,
 * the movements of the stock, the first event of each order, and what is answered to those who may ask again.
 */
export function saleOf(
  purchases: readonly Purchase[],
  decisions: readonly Outcome<SoldItem[]>[],
): Writes<WrittenOrders, Outcome<Order>[]> {
  return writesFor(purchases, decisions, {
    write: sell,
    toResults: ([written]: readonly WrittenOrders[], taken) => {
      if (written?.ids.length !== taken.length) throw new Error('PostgreSQL wrote fewer orders than were sold');
      const { ids, createdAt } = written;
      return taken.map(({ items }, index) => toOrder({ id: ids[index] ?? 0, createdAt }, items));
    },
  });
}

/** One statement for stock, orders and ledger: none of them is ever there without the others. */
function sell(sales: readonly Taken<Purchase>[]): QueryConfig {
  const items = sales.flatMap((sale, index) => sale.items.map((item) => ({ ...item, position: index + 1 })));
  const sold = [
    sales.map((sale) => formatCents(totalOf(sale.items))),
    items.map(({ position }) => position),
    items.map(({ productId }) => productId),
    items.map(({ quantity }) => quantity),
    items.map(({ unitPrice }) => formatCents(unitPrice)),
    items.map(({ stockAfter }) => stockAfter),
  ];
  const kept = keyParametersOf(sales);
  if (kept.length === 0) return { name: 'sell', text: sellText(''), values: sold };
  return { name: 'sell-with-keys', text: sellText(keepKeys('order_id', 7)), values: [...sold, ...kept] };
}

function sellText(keep: string): string {
  return `WITH item AS MATERIALIZED (
      SELECT * FROM unnest($2::bigint[], $3::bigint[], $4::integer[], $5::numeric[], $6::integer[])
        WITH ORDINALITY AS item (position, product_id, quantity, unit_price, stock_after, turn)
    ), taken AS (
      UPDATE products SET stock = stock - units
      FROM (SELECT product_id, sum(quantity) AS units FROM item GROUP BY product_id) AS sold
      WHERE products.id = sold.product_id AND products.id = ANY ($3::bigint[])
    ), written AS (
      INSERT INTO orders (total_price)
      SELECT total_price FROM unnest($1::numeric[]) WITH ORDINALITY AS sold (total_price, position)
      ORDER BY position
      RETURNING id, created_at
    ), placed AS (
      SELECT id, row_number() OVER (ORDER BY id) AS position FROM written
    ), ${keep} line AS MATERIALIZED (
      SELECT placed.id AS order_id, item.* FROM item JOIN placed USING (position)
    ), filled AS (
      INSERT INTO order_items (order_id, product_id, quantity, unit_price)
      SELECT order_id, product_id, quantity, unit_price FROM line
    ), moved AS (
      INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id)
      SELECT product_id, 'sale', -quantity, stock_after, order_id FROM line ORDER BY turn
    ), begun AS (
      INSERT INTO order_events (order_id, status, cause) SELECT id, 'pending', 'bought' FROM written
    )
    SELECT array_agg(id ORDER BY id) AS ids, min(created_at) AS "createdAt" FROM written`;
}

/** @throws KeyTakenError */
function useKey(key: string, taken: Set<string>): void {
  if (taken.has(key)) throw new KeyTakenError();
  taken.add(key);
}

function take({ productId, quantity }: PricedItem, products: ReadonlyMap<number, { stock: number }>): number {
  const product = products.get(productId);
  if (product === undefined) throw new Error(`Product ${productId} was decided for without its row`);
  product.stock -= quantity;
  return product.stock;
}

/** The order as it stands in the database after its commit. */
export function toOrder({ id, createdAt }: WrittenOrder, purchase: readonly PricedItem[]): Order {
  const items = purchase.map(({ productId, quantity, unitPrice }) =>
    Object.assign(new OrderItem(), { orderId: id, productId, quantity, unitPrice }),
  );
  const written = { id, status: 'pending', createdAt, updatedAt: createdAt, totalPrice: totalOf(purchase), items };
  return Object.assign(new Order(), written);
}

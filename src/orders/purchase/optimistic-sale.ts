import type { QueryConfig } from 'pg';
import { keepMadeRows, keyParametersOf } from '../../idempotency/idempotency-key-writer.js';
import { parseCents } from '../../kernel/money.js';
import { nameOrigins, originParametersOf, recordTaken, takeIfEnough } from '../../stock/stock-ledger.js';
import type { Order } from '../order.entity.js';
import { INSERT_ITEMS, insertOrders, NEW_FULFILMENT_KEY } from '../order-writer.js';
import { BEGUN, type Purchase, toOrder, type WrittenOrder } from './sale.js';

/** An item of the order that was written, with what is the same for all of them. */
export interface SoldItem extends WrittenOrder {
  readonly productId: number;
  readonly quantity: number;
  /** Decimal text. */
  readonly unitPrice: string;
}

/**
 * An order in one statement. The conditional `UPDATE` checks and takes in one step. When it takes some items and not
 * all, the order has no total, and the `NOT NULL` of `orders.total_price` undoes the whole statement.
 */
export function writeOptimisticSale({ items, request, customerRef = null, origin }: Purchase): QueryConfig {
  const isAlone = items.length === 1;
  const sold = [
    items.map(({ productId }) => productId),
    items.map(({ quantity }) => quantity),
    ...originParametersOf([{ asked: { origin } }]),
    customerRef,
  ];
  const keys = keyParametersOf([request]);
  return {
    name: `sell-${isAlone ? 'one' : 'several'}${keys.length === 0 ? '' : '-with-key'}`,
    text: saleText({ isAlone, keep: keys.length === 0 ? [] : [keepMadeRows('order_id', 6)] }),
    values: [...sold, ...keys],
  };
}

/** The order that was written; `undefined` when nothing was taken. */
export function toSoldOrder(items: readonly SoldItem[]): Order | undefined {
  const [first] = items;
  if (first === undefined) return undefined;
  return toOrder(
    first,
    items.map(({ unitPrice, ...item }) => ({ ...item, unitPrice: parseCents(unitPrice) })),
  );
}

function saleText({ isAlone, keep }: { isAlone: boolean; keep: readonly string[] }): string {
  const parts = [
    takeIfEnough({ isAlone }),
    nameOrigins(3),
    insertOrders(`
      SELECT CASE WHEN count(*) = cardinality($1) THEN sum(unit_price * quantity) END, ${NEW_FULFILMENT_KEY}, $5::text
      FROM taken HAVING count(*) > 0`),
    'placed AS (SELECT id, 1 AS position, request_id, actor FROM written CROSS JOIN origin)',
    ...keep,
    `line AS MATERIALIZED (
      SELECT placed.id AS order_id, taken.*, taken.product_id AS turn, request_id, actor FROM placed CROSS JOIN taken
    )`,
    INSERT_ITEMS,
    recordTaken('sale', 'order_id'),
    BEGUN,
  ];
  return `WITH ${parts.join(',\n    ')}
    SELECT written.id, created_at AS "createdAt", $5 AS "customerRef", product_id AS "productId", quantity, unit_price AS "unitPrice"
    FROM written CROSS JOIN taken`;
}

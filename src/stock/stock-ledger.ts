import type { QueryConfig } from 'pg';
import { numericArray } from '../database/numeric-array.js';
import { formatCents } from '../kernel/money.js';
import { MOVEMENT_COLUMNS } from './movements/stock-movement.js';
import { MAX_STOCK } from './stock.js';
import type { Origin } from '../runtime/request-context.js';
import type { StockRequest, Taken } from './pipeline/stock-request.js';

// This file makes every change of the stock of a product that exists, and writes its movement in the same statement. The caller holds the
// locks of the products' rows, or takes the stock by a condition in the statement. `ProductService` inserts the initial stock. Two
// triggers write the movements of the initial stock and of changes that are made by hand in SQL (migrations 0005 and 0012).

/** Whose units a movement takes or gives back. */
type Owner = 'order_id' | 'reservation_id';

/** `select` gives the columns in their order. */
function recordMovements(columns: string, select: string): string {
  return `INSERT INTO stock_movements (product_id, kind, quantity, stock_after, ${columns}) ${select}`;
}

/**
 * A common table expression `origin (position, request_id, actor)` of who has asked for what; its parameters are
 * {@link originParametersOf} and begin with `$first`.
 */
export function nameOrigins(first: number): string {
  return `origin AS (
      SELECT position, request_id, actor
      FROM unnest($${first}::text[], $${first + 1}::text[]) WITH ORDINALITY AS origin (request_id, actor, position)
    )`;
}

/** `placed (id, position, request_id, actor)`: what was written for the requests, in their order, and who has asked for it. */
export const PLACED = `placed AS (
      SELECT id, position, request_id, actor
      FROM (SELECT id, row_number() OVER (ORDER BY id) AS position FROM written) AS numbered JOIN origin USING (position)
    )`;

/** The parameters of {@link nameOrigins}: one for each request, whose position counts from 1. */
export function originParametersOf(taken: readonly { readonly asked: Pick<StockRequest, 'origin'> }[]): unknown[] {
  return [
    taken.map(({ asked }) => asked.origin?.requestId ?? null),
    nullsLeftOut(taken.map(({ asked }) => asked.origin?.actor ?? null)),
  ];
}

/** An array for `unnest`, which fills up those that are shorter than others with nulls: nothing at all where there is nothing else. */
export function nullsLeftOut<T>(values: readonly (T | null)[]): readonly (T | null)[] {
  return values.every((value) => value === null) ? [] : values;
}

/** Says who makes a product in this transaction, for the trigger that records the initial stock. */
export function nameMaker({ requestId, actor }: Origin): QueryConfig {
  return {
    name: 'name-maker',
    text: `SELECT set_config('order_system.request_id', $1, true), set_config('order_system.actor', $2, true)`,
    values: [requestId ?? '', actor ?? ''],
  };
}

/**
 * Common table expressions that take the stock of decided requests, whose products are locked. They give
 * `item (position, product_id, quantity, unit_price, stock_after, turn)`; their parameters are {@link takenItemParameters} and
 * begin with `$first`.
 */
export function takeDecided(first: number): string {
  const [position, productId, quantity, price, stockAfter] = [0, 1, 2, 3, 4].map((index) => `$${first + index}`);
  return `item AS MATERIALIZED (
      SELECT * FROM unnest(${position}::bigint[], ${productId}::bigint[], ${quantity}::integer[],
                           ${price}::numeric[], ${stockAfter}::integer[])
        WITH ORDINALITY AS item (position, product_id, quantity, unit_price, stock_after, turn)
    ), taken AS (
      UPDATE products SET stock = stock - units
      FROM (SELECT product_id, sum(quantity) AS units FROM item GROUP BY product_id) AS wanted
      WHERE products.id = wanted.product_id AND products.id = ANY (${productId}::bigint[])
    )`;
}

/** The parameters of {@link takeDecided}: the items of each request, whose position counts from 1. */
export function takenItemParameters(taken: readonly Taken<StockRequest>[]): unknown[] {
  const items = taken.flatMap((request) => request.items);
  return [
    numericArray(taken.flatMap((request, index) => request.items.map(() => index + 1))),
    numericArray(items.map(({ productId }) => productId)),
    numericArray(items.map(({ quantity }) => quantity)),
    numericArray(items.map(({ unitPrice }) => formatCents(unitPrice))),
    numericArray(items.map(({ stockAfter }) => stockAfter)),
  ];
}

/** The rows of one product are locked by the `UPDATE`; those of several before it, in ascending id. */
const LOCKED_BEFORE = `JOIN (
    SELECT id FROM products WHERE id = ANY ($1::bigint[]) ORDER BY id FOR UPDATE
  ) AS locked ON locked.id = item.product_id`;

/**
 * A common table expression `taken (product_id, quantity, unit_price, stock_after)` that takes the stock of each item for which
 * there is enough and no limit for customers, and of no other. `$1` are the ids of the products, `$2` the quantities.
 */
export function takeIfEnough({ isAlone }: { isAlone: boolean }): string {
  return `taken AS (
      UPDATE products SET stock = stock - item.quantity
      FROM unnest($1::bigint[], $2::integer[]) AS item (product_id, quantity) ${isAlone ? '' : LOCKED_BEFORE}
      WHERE products.id = item.product_id AND stock >= item.quantity AND deleted_at IS NULL AND max_per_customer IS NULL
      RETURNING item.product_id, item.quantity, price AS unit_price, stock AS stock_after
    )`;
}

/**
 * A common table expression that records what was taken, from `line (order_id or reservation_id, product_id, quantity,
 * stock_after, turn, request_id, actor)`.
 */
export function recordTaken(kind: 'sale' | 'hold', owner: Owner): string {
  return `moved AS (
      ${recordMovements(
        `${owner}, request_id, actor`,
        `SELECT product_id, '${kind}', -quantity, stock_after, ${owner}, request_id, actor FROM line ORDER BY turn`,
      )}
    )`;
}

/** Units that go back, and why. */
export interface Release {
  /** The column of the ledger that names whose units they were. */
  readonly owner: Owner;
  /** SQL that gives the `product_id` and the `quantity` of each item of the owners `$1`, with the id of its owner as `owner_id`. */
  readonly items: string;
  readonly ids: readonly number[];
  readonly reason: string;
  /** Who has asked for it, if somebody has. */
  readonly origin?: Origin | undefined;
  /** A common table expression that runs in the same statement, and may use `$1`. Another text has another name. */
  readonly also?: { readonly name: string; readonly text: string };
}

/**
 * Puts the units of orders or reservations back, also onto products that were deleted since, and gives the ids of the products.
 * Run this in the transaction that moves the owners to a final state; that makes it run exactly once. Units beyond
 * {@link MAX_STOCK} (a later stock-taking has written over what was sold) are dropped, and the ledger says so.
 */
export function releaseStock({ owner, items, ids, reason, origin, also }: Release): QueryConfig {
  const movements = `SELECT * FROM (
         SELECT product_id, 'release', quantity, stock_after, owner_id, $2, $3::text, $4::text FROM released
         UNION ALL
         SELECT product_id, 'adjustment', ${MAX_STOCK} - stock, ${MAX_STOCK}, NULL, 'beyond the largest stock', $3, $4
         FROM balance WHERE stock > ${MAX_STOCK}
       ) AS movement (product_id, kind, quantity, stock_after, owner_id, reason, request_id, actor)
       ORDER BY product_id, owner_id NULLS LAST`;
  return {
    name: `release-${owner}${also === undefined ? '' : `-${also.name}`}`,
    text: `WITH ${also === undefined ? '' : `${also.text}, `}item AS (
       ${items}
     ), locked AS MATERIALIZED (
       SELECT id, stock::bigint FROM products WHERE id = ANY (ARRAY(SELECT product_id FROM item))
       ORDER BY id FOR UPDATE
     ), released AS MATERIALIZED (
       SELECT owner_id, product_id, quantity,
              stock + sum(quantity) OVER (PARTITION BY product_id ORDER BY owner_id) AS stock_after
       FROM item JOIN locked ON locked.id = product_id
     ), balance AS (
       SELECT product_id, max(stock_after) AS stock FROM released GROUP BY product_id
     ), moved AS (
       ${recordMovements(`${owner}, reason, request_id, actor`, movements)}
     )
     UPDATE products SET stock = LEAST(balance.stock, ${MAX_STOCK})
     FROM balance WHERE products.id = balance.product_id AND products.id = ANY (ARRAY(SELECT product_id FROM item))
     RETURNING products.id`,
    values: [ids, reason, origin?.requestId ?? null, origin?.actor ?? null],
  };
}

/**
 * Adds `delta` units to the stock of a product whose row is locked, and gives the movement with `productUpdatedAt`, the moment
 * of the change.
 */
export function adjustStock(
  productId: number,
  { delta, reason, origin }: { readonly delta: number; readonly reason: string; readonly origin: Origin },
): QueryConfig {
  const select = `SELECT $1, 'adjustment', $2::integer, stock, $3, $4::text, $5::text FROM changed RETURNING ${MOVEMENT_COLUMNS}`;
  return {
    name: 'adjust-stock',
    text: `WITH changed AS (
             UPDATE products SET stock = stock + $2::integer WHERE id = $1::bigint RETURNING stock, updated_at
           ), moved AS (${recordMovements('reason, request_id, actor', select)})
           SELECT moved.*, changed.updated_at AS "productUpdatedAt" FROM moved CROSS JOIN changed`,
    values: [productId, delta, reason, origin.requestId, origin.actor],
  };
}

/** Characters of the reason of a correction. */
export const MAX_REASON_LENGTH = 255;

/** Locks a product, also one that was deleted, for {@link correctLedger}. */
export function lockStock(productId: number): QueryConfig {
  return { name: 'lock-stock', text: 'SELECT FROM products WHERE id = $1 FOR UPDATE', values: [productId] };
}

/**
 * Records a correction that makes the movements of a product add up to its stock, which stays as it is. The product's row is locked by
 * an earlier statement: this one must see all movements that were committed before.
 */
export function correctLedger(productId: number, reason: string): QueryConfig {
  const select = `SELECT id, 'correction', stock - (SELECT coalesce(sum(quantity), 0) FROM stock_movements WHERE product_id = $1),
              stock, $2 FROM products WHERE id = $1 RETURNING ${MOVEMENT_COLUMNS}`;
  return { name: 'correct-ledger', text: recordMovements('reason', select), values: [productId, reason] };
}

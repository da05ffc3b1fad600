/**
 * Common table expressions that check the ledger: `movement (product_id, order_id, reservation_id, kind, quantity, is_broken)`. A movement
 * is broken when its stock does not follow from the movement before. A correction stands for all that is before it.
 */
export const CHECKED_MOVEMENTS = `correction AS MATERIALIZED (
    SELECT product_id, max(id) AS id FROM stock_movements WHERE kind = 'correction' GROUP BY product_id
  ), movement AS (
    SELECT product_id, order_id, reservation_id, kind, quantity,
           stock_after - quantity <> coalesce(lag(stock_after) OVER (PARTITION BY product_id ORDER BY stock_movements.id), 0)
             AND stock_movements.id > coalesce(correction.id, 0) AS is_broken
    FROM stock_movements LEFT JOIN correction USING (product_id)
  )`;

/** A product whose ledger does not tell its stock. */
export interface WrongLedger {
  readonly productId: number;
  readonly stock: number;
  /** The sum of its movements. */
  readonly units: number;
  /** Movements that do not follow from the one before. */
  readonly broken: number;
}

/** The products whose ledgers are wrong, each a {@link WrongLedger}. */
export const WRONG_LEDGERS = `
  WITH ${CHECKED_MOVEMENTS}, ledger AS (
    SELECT product_id, sum(quantity) AS units, count(*) FILTER (WHERE is_broken) AS broken FROM movement GROUP BY product_id
  )
  SELECT products.id AS "productId", stock, coalesce(units, 0)::bigint AS units, coalesce(broken, 0)::bigint AS broken
  FROM products LEFT JOIN ledger ON product_id = products.id
  WHERE coalesce(units, 0) <> stock OR broken > 0 ORDER BY products.id`;

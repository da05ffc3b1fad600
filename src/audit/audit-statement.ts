/** Whether something of a product belongs to the slice `$2` of `$1`. */
const inSlice = (id: string) => `${id} % $1::bigint = $2::bigint`;

/**
 * Common table expressions that check the ledger of a slice: `movement (product_id, order_id, reservation_id, kind, quantity, is_broken)`. A
 * movement is broken when its stock does not follow from the movement before. A correction stands for all movements before it.
 */
const CHECKED_MOVEMENTS = `correction AS MATERIALIZED (
    SELECT product_id, max(id) AS id FROM stock_movements WHERE kind = 'correction' GROUP BY product_id
  ), movement AS (
    SELECT product_id, order_id, reservation_id, kind, quantity,
           stock_after - quantity <> coalesce(lag(stock_after) OVER (PARTITION BY product_id ORDER BY stock_movements.id), 0)
             AND stock_movements.id > coalesce(correction.id, 0) AS is_broken
    FROM stock_movements LEFT JOIN correction USING (product_id) WHERE ${inSlice('product_id')}
  )`;

/** Places that are told of each finding. */
export const MAX_EXAMPLES = 20;

/**
 * Compares stock, ledger and orders of one slice of the products, `$2` of `$1`, in one statement and so at one moment: no finding spans two
 * products, so the slices may be looked at one after the other, and PostgreSQL need not keep for all of them what has changed since the
 * first. What is sorted and grouped of the ledger goes to disk beyond `work_mem`. Sales less releases of a product are the units of its
 * live orders when each item has just its sale, and just the items of orders that are over have their release. An order
 * that a reservation became has the reservation's hold for a sale. A reservation that is not there any more was removed long after its
 * end, which its movements tell: what it took has come back.
 *
 * Rows are examples of findings; three more, without a finding, tell how much was looked at.
 */
export const AUDIT = `
  WITH ${CHECKED_MOVEMENTS}, line AS MATERIALIZED (
    SELECT product_id, order_id, reservation_id, count(*) AS movements, sum(quantity) AS units,
           count(*) FILTER (WHERE is_broken) AS broken,
           coalesce(-sum(quantity) FILTER (WHERE kind IN ('sale', 'hold')), 0) AS taken,
           coalesce(sum(quantity) FILTER (WHERE kind = 'release'), 0) AS released
    FROM movement GROUP BY product_id, order_id, reservation_id
  ), ledger AS MATERIALIZED (
    SELECT product_id, sum(units) AS units, sum(broken) AS broken, sum(movements) AS movements FROM line GROUP BY product_id
  ), item (owner, owner_id, product_id, quantity, due) AS (
    SELECT 'order', orders.id, product_id, quantity, CASE WHEN status IN ('failed', 'cancelled') THEN quantity ELSE 0 END
    FROM orders LEFT JOIN order_items ON order_id = orders.id WHERE ${inSlice('coalesce(product_id, orders.id)')}
    UNION ALL
    SELECT 'reservation', reservations.id, product_id, quantity,
           CASE WHEN status IN ('released', 'expired') THEN quantity ELSE 0 END
    FROM reservations LEFT JOIN reservation_items ON reservation_id = reservations.id
    WHERE status <> 'confirmed' AND ${inSlice('coalesce(product_id, reservations.id)')}
  ), account AS (
    SELECT CASE WHEN coalesce(line.order_id, reservations.order_id) IS NULL THEN 'reservation' ELSE 'order' END AS owner,
           coalesce(line.order_id, reservations.order_id, reservation_id) AS owner_id,
           product_id, sum(taken) AS taken, sum(released) AS released
    FROM line LEFT JOIN reservations ON reservations.id = reservation_id
    WHERE line.order_id IS NOT NULL OR reservation_id IS NOT NULL
    GROUP BY 1, 2, 3
  ), pair AS MATERIALIZED (
    SELECT coalesce(item.owner, account.owner) AS owner, coalesce(item.owner_id, account.owner_id) AS owner_id,
           coalesce(item.product_id, account.product_id) AS product_id,
           quantity, due, coalesce(taken, 0) AS taken, coalesce(released, 0) AS released,
           item.owner IS NOT NULL AND quantity IS NULL AS is_empty
    FROM item FULL JOIN account
      ON account.owner = item.owner AND account.owner_id = item.owner_id AND account.product_id = item.product_id
    WHERE (quantity IS NULL OR quantity <> coalesce(taken, 0) OR due <> coalesce(released, 0))
      AND NOT (item.owner IS NULL AND account.owner = 'reservation' AND taken = released)
  ), off (finding, product_id, owner, owner_id, expected, found) AS (
    SELECT 'STOCK_DIFFERS', coalesce(products.id, ledger.product_id), NULL, NULL::bigint,
           coalesce(units, 0), coalesce(stock, 0)
    FROM (SELECT id, stock FROM products WHERE ${inSlice('id')}) AS products
    FULL JOIN ledger ON ledger.product_id = products.id
    WHERE coalesce(units, 0) <> coalesce(stock, 0)
    UNION ALL SELECT 'LEDGER_BROKEN', product_id, NULL, NULL, 0, broken FROM ledger WHERE broken > 0
    UNION ALL SELECT 'WITHOUT_ITEMS', NULL, owner, owner_id, 1, 0 FROM pair WHERE is_empty
    UNION ALL SELECT 'ITEM_WITHOUT_SALE', product_id, owner, owner_id, quantity, taken FROM pair WHERE quantity <> taken
    UNION ALL SELECT 'SALE_WITHOUT_ITEM', product_id, owner, owner_id, 0, taken FROM pair
    WHERE quantity IS NULL AND NOT is_empty
    UNION ALL SELECT 'END_WITHOUT_RELEASE', product_id, owner, owner_id, due, released FROM pair
    WHERE due > 0 AND due <> released
    UNION ALL SELECT 'RELEASE_WITHOUT_END', product_id, owner, owner_id, due, released FROM pair
    WHERE due = 0 AND released > 0
  ), finding AS (
    SELECT finding, product_id, CASE owner WHEN 'order' THEN owner_id END AS order_id,
           CASE owner WHEN 'reservation' THEN owner_id END AS reservation_id, expected, found
    FROM off
  ), told AS (
    SELECT *, count(*) OVER (PARTITION BY finding) AS count,
           row_number() OVER (PARTITION BY finding ORDER BY product_id, order_id, reservation_id) AS place
    FROM finding
  )
  SELECT finding, count, product_id, order_id, reservation_id, expected::bigint, found::bigint FROM told WHERE place <= ${MAX_EXAMPLES}
  UNION ALL SELECT 'products', count(*), NULL, NULL, NULL, NULL, NULL FROM products WHERE ${inSlice('id')}
  UNION ALL SELECT 'orders', count(*), NULL, NULL, NULL, NULL, NULL FROM orders WHERE ${inSlice('id')}
  UNION ALL SELECT 'movements', coalesce(sum(movements), 0)::bigint, NULL, NULL, NULL, NULL, NULL FROM ledger`;

/** A product whose ledger does not tell its stock. */
export interface WrongLedger {
  readonly productId: number;
  readonly stock: number;
  /** The sum of its movements. */
  readonly units: number;
  /** Movements that do not follow from the one before. */
  readonly broken: number;
}

/** The products of a slice whose ledgers are wrong, each a {@link WrongLedger}. */
export const WRONG_LEDGERS = `
  WITH ${CHECKED_MOVEMENTS}, ledger AS (
    SELECT product_id, sum(quantity) AS units, count(*) FILTER (WHERE is_broken) AS broken FROM movement GROUP BY product_id
  )
  SELECT products.id AS "productId", stock, coalesce(units, 0)::bigint AS units, coalesce(broken, 0)::bigint AS broken
  FROM products LEFT JOIN ledger ON product_id = products.id
  WHERE ${inSlice('products.id')} AND (coalesce(units, 0) <> stock OR broken > 0) ORDER BY products.id`;

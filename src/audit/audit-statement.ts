/** Places that are told of each finding. */
const MAX_EXAMPLES = 20;

/**
 * Compares stock, ledger and orders in one statement and so at one moment. The ledger is read once, in the order of its key;
 * what is sorted and grouped of it goes to disk beyond `work_mem`. Sales less releases of a product are the units of its
 * live orders when each item has just its sale, and just the items of orders that are over have their release.
 *
 * Rows are examples of findings; three more, without a finding, tell how much was looked at.
 */
export const AUDIT = `
  WITH movement AS (
    SELECT product_id, order_id, kind, quantity,
           stock_after - quantity <> coalesce(lag(stock_after) OVER (PARTITION BY product_id ORDER BY id), 0) AS is_broken
    FROM stock_movements
  ), line AS MATERIALIZED (
    SELECT product_id, order_id, count(*) AS movements, sum(quantity) AS units,
           count(*) FILTER (WHERE is_broken) AS broken,
           coalesce(-sum(quantity) FILTER (WHERE kind = 'sale'), 0) AS sold,
           coalesce(sum(quantity) FILTER (WHERE kind = 'release'), 0) AS released
    FROM movement GROUP BY product_id, order_id
  ), ledger AS MATERIALIZED (
    SELECT product_id, sum(units) AS units, sum(broken) AS broken, sum(movements) AS movements FROM line GROUP BY product_id
  ), item AS (
    SELECT orders.id AS order_id, product_id, quantity,
           CASE WHEN status IN ('failed', 'cancelled') THEN quantity ELSE 0 END AS due
    FROM orders LEFT JOIN order_items ON order_id = orders.id
  ), pair AS MATERIALIZED (
    SELECT coalesce(item.order_id, sale.order_id) AS order_id, coalesce(item.product_id, sale.product_id) AS product_id,
           quantity, due, coalesce(sold, 0) AS sold, coalesce(released, 0) AS released,
           item.order_id IS NOT NULL AND quantity IS NULL AS is_empty
    FROM item FULL JOIN (SELECT * FROM line WHERE order_id IS NOT NULL) AS sale
      ON sale.order_id = item.order_id AND sale.product_id = item.product_id
    WHERE quantity IS NULL OR quantity <> coalesce(sold, 0) OR due <> coalesce(released, 0)
  ), finding (finding, product_id, order_id, expected, found) AS (
    SELECT 'STOCK_DIFFERS', coalesce(products.id, ledger.product_id), NULL::bigint, coalesce(units, 0), coalesce(stock, 0)
    FROM products FULL JOIN ledger ON ledger.product_id = products.id
    WHERE coalesce(units, 0) <> coalesce(stock, 0)
    UNION ALL SELECT 'LEDGER_BROKEN', product_id, NULL, 0, broken FROM ledger WHERE broken > 0
    UNION ALL SELECT 'ORDER_WITHOUT_ITEMS', NULL, order_id, 1, 0 FROM pair WHERE is_empty
    UNION ALL SELECT 'ITEM_WITHOUT_SALE', product_id, order_id, quantity, sold FROM pair WHERE quantity <> sold
    UNION ALL SELECT 'SALE_WITHOUT_ITEM', product_id, order_id, 0, sold FROM pair WHERE quantity IS NULL AND NOT is_empty
    UNION ALL SELECT 'ORDER_WITHOUT_RELEASE', product_id, order_id, due, released FROM pair
    WHERE due > 0 AND due <> released
    UNION ALL SELECT 'RELEASE_OF_LIVE_ORDER', product_id, order_id, due, released FROM pair
    WHERE due = 0 AND released > 0
  ), told AS (
    SELECT *, count(*) OVER (PARTITION BY finding) AS count,
           row_number() OVER (PARTITION BY finding ORDER BY product_id, order_id) AS place
    FROM finding
  )
  SELECT finding, count, product_id, order_id, expected::bigint, found::bigint FROM told WHERE place <= ${MAX_EXAMPLES}
  UNION ALL SELECT 'products', count(*), NULL, NULL, NULL, NULL FROM products
  UNION ALL SELECT 'orders', count(*), NULL, NULL, NULL, NULL FROM orders
  UNION ALL SELECT 'movements', coalesce(sum(movements), 0)::bigint, NULL, NULL, NULL, NULL FROM ledger`;

import { audit, type Stage } from './stage.ts';

const PRODUCTS = 10_000;
const STOCK = 1_000_000;
/** Orders of one item each, whose rows are measured. */
const ORDERS = 1_000_000;
/** Movements in the ledger that is audited; the further orders have ten items each. */
const MOVEMENTS = 10_000_000;
const ITEMS = 10;

const MEASURE = `
  SELECT relname AS table, reltuples::bigint AS rows, pg_relation_size(oid) AS bytes, pg_indexes_size(oid) AS index_bytes
  FROM pg_class WHERE oid = ANY ($1::regclass[]) ORDER BY relname`;
const TABLES = ['orders', 'order_items', 'order_events', 'stock_movements'];

interface Size {
  readonly table: string;
  readonly rows: number;
  readonly bytes: string;
  readonly index_bytes: string;
}

/**
 * What a million completed orders of one item weigh in PostgreSQL, and how long the audit takes of a ledger of ten million movements.
 * The rows are those that the application writes, written at once: `npm run bench -- --storage` takes some minutes and 5 GB of disk.
 */
export async function measureStorage(stage: Stage, say: (line: string) => void): Promise<void> {
  const client = await stage.sql.connect();
  try {
    await client.query('SET session_replication_role = replica');
    await client.query(
      `INSERT INTO products (name, price, stock) SELECT 'Product ' || n, 1, 0 FROM generate_series(1, ${PRODUCTS}) AS n`,
    );
    await client.query(
      `INSERT INTO stock_movements (product_id, kind, quantity, stock_after) SELECT id, 'initial', ${STOCK}, ${STOCK} FROM products`,
    );
    await client.query(sell(0, ORDERS, 'n'));
    await client.query(`ANALYZE ${TABLES.join(', ')}`);
    const { rows } = await client.query<Size>(MEASURE, [TABLES]);
    say(`a million completed orders of one item each:`);
    for (const { table, rows: count, bytes, index_bytes: indexes } of rows) {
      say(
        `  ${table.padEnd(16)} ${millions(count)} rows  ${mebibytes(bytes)} MB  and indexes ${mebibytes(indexes)} MB`,
      );
    }
    say(`writing the rest of ${MOVEMENTS} movements …`);
    await client.query(sell(ORDERS, MOVEMENTS, `${ORDERS} + (n - ${ORDERS}) / ${ITEMS}`));
    await client.query(
      `UPDATE products SET stock = ${STOCK} - sold.units
       FROM (SELECT product_id, -sum(quantity) AS units FROM stock_movements WHERE kind = 'sale' GROUP BY 1) AS sold
       WHERE id = product_id`,
    );
    await client.query(`ANALYZE products, ${TABLES.join(', ')}`);
  } finally {
    client.release(true);
  }
  const begin = performance.now();
  say(await audit(stage));
  say(`  in ${((performance.now() - begin) / 1_000).toFixed(0)} s`);
}

/** The sales number `from` to `to`, spread over the products, with all that stands of their orders; `order` numbers these. */
function sell(from: number, to: number, order: string): string {
  return `
    WITH sale AS MATERIALIZED (
      SELECT n, ${order} + 1 AS order_id, n % ${PRODUCTS} + 1 AS product_id, ${STOCK} - n / ${PRODUCTS} - 1 AS stock_after
      FROM generate_series(${from}, ${to - 1}) AS n
    ), placed AS MATERIALIZED (
      SELECT order_id, count(*) AS total FROM sale GROUP BY order_id ORDER BY order_id
    ), ordered AS (
      INSERT INTO orders (id, total_price, status, fulfilment_key) OVERRIDING SYSTEM VALUE
      SELECT order_id, total, 'completed', gen_random_uuid() FROM placed
    ), listed AS (
      INSERT INTO order_items (order_id, product_id, quantity, unit_price) SELECT order_id, product_id, 1, 1 FROM sale
    ), told AS (
      INSERT INTO order_events (order_id, status, cause)
      SELECT order_id, status, cause FROM placed
      CROSS JOIN (VALUES ('pending', 'bought'), ('processing', 'attempt 1'), ('completed', 'fulfilled')) AS step (status, cause)
    )
    INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id)
    SELECT product_id, 'sale', -1, stock_after, order_id FROM sale ORDER BY n`;
}

function millions(count: number): string {
  return (count / 1e6).toFixed(1).padStart(4) + ' million';
}

function mebibytes(bytes: string): string {
  return (Number(bytes) / 2 ** 20).toFixed(0).padStart(4);
}

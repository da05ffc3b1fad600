/** What a page of a list costs against the length of the list, on a database of its own. */
import pg from 'pg';
import { load } from './load.ts';
import { audit, migrate, type Process, type Stage, startApi } from './stage.ts';

const DATABASE = 'scale';
/** Orders for each product. */
const ORDERS = 10;
/** Units of a product that its orders left. */
const STOCK = 100;
const STEP = 100_000;

export interface ScalePoint {
  products: number;
  orders: number;
  /** Milliseconds of a lone client, by the name of the page. */
  p50: Record<string, number>;
}

const PAGES: Record<string, string> = {
  'products, page 1': '/api/v1/products',
  'products, page 10 000': '/api/v1/products?page=10000',
  'products, search': '/api/v1/products?search=cee631121c2e',
  'products, search of two letters': '/api/v1/products?search=zq',
  'orders, page 1': '/api/v1/orders',
  'orders, page 10 000': '/api/v1/orders?page=10000',
  'completed orders, page 10 000': '/api/v1/orders?status=completed&page=10000',
};

/** Measures each page at each of the sizes, which ascend. */
export async function measureScale(
  stage: Stage,
  sizes: readonly number[],
  say: (line: string) => void,
): Promise<ScalePoint[]> {
  await stage.sql.query(`CREATE DATABASE ${DATABASE}`);
  const url = new URL(stage.databaseUrl);
  url.pathname = `/${DATABASE}`;
  await migrate(url.href);
  const sql = new pg.Client({ connectionString: url.href });
  await sql.connect();
  // The movements are made up as well.
  await sql.query('ALTER TABLE products DISABLE TRIGGER products_record_initial_stock');
  const api = await startApi({ ...stage, databaseUrl: url.href });
  try {
    const points: ScalePoint[] = [];
    let filled = 0;
    for (const products of sizes) {
      await grow(sql, [filled, products], say);
      filled = products;
      points.push({ products, orders: products * ORDERS, p50: await measurePages(api) });
      say(`${products} products, ${products * ORDERS} orders: ${JSON.stringify(points.at(-1)?.p50)}`);
    }
    say(await audit({ ...stage, databaseUrl: url.href }));
    return points;
  } finally {
    await api.stop();
    await sql.end();
  }
}

async function measurePages({ url }: Process): Promise<Record<string, number>> {
  const p50: Record<string, number> = {};
  // The caches of a new size, and of a process that has just begun.
  for (const path of ['/api/v1/products', '/api/v1/orders']) {
    await load({ url, requests: [{ method: 'GET', path }], connections: 1, seconds: 1 });
  }
  for (const [name, path] of Object.entries(PAGES)) {
    const { p50: measured, refused } = await load({
      url,
      requests: [{ method: 'GET', path }],
      connections: 1,
      seconds: 1,
    });
    if (refused > 0) throw new Error(`${path} was refused`);
    p50[name] = measured;
  }
  return p50;
}

/** Foreign keys are not checked while rows are made up by the million; all else is as for any client. */
async function grow(sql: pg.Client, [from, to]: readonly [number, number], say: (line: string) => void): Promise<void> {
  await keepUnsorted(sql, 4_096);
  for (let first = from; first < to; first += STEP) {
    const last = Math.min(first + STEP, to);
    await sql.query('BEGIN');
    await sql.query(
      `INSERT INTO products (name, price, stock) SELECT 'Thing ' || n || ' of kind ' || n % 1000 || ', ' || left(md5(n::text), 12), 9.99, ${STOCK}
       FROM generate_series($1::integer + 1, $2::integer) AS n`,
      [first, last],
    );
    await sql.query(
      `INSERT INTO orders (total_price, status) SELECT 9.99, CASE WHEN n % 100 = 0 THEN 'processing' ELSE 'completed' END
       FROM generate_series($1::integer * ${ORDERS} + 1, $2::integer * ${ORDERS}) AS n`,
      [first, last],
    );
    await sql.query('SET LOCAL session_replication_role = replica');
    await sql.query(
      `INSERT INTO order_items (order_id, product_id, quantity, unit_price)
       SELECT n, 1 + (n - 1) / ${ORDERS}, 1, 9.99 FROM generate_series($1::integer * ${ORDERS} + 1, $2::integer * ${ORDERS}) AS n`,
      [first, last],
    );
    await sql.query(
      `INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id)
       SELECT n, 'initial', ${STOCK + ORDERS}, ${STOCK + ORDERS}, NULL FROM generate_series($1::integer + 1, $2::integer) AS n
       UNION ALL
       SELECT 1 + (n - 1) / ${ORDERS}, 'sale', -1, ${STOCK + ORDERS} - 1 - (n - 1) % ${ORDERS}, n
       FROM generate_series($1::integer * ${ORDERS} + 1, $2::integer * ${ORDERS}) AS n`,
      [first, last],
    );
    await sql.query('COMMIT');
    if (last % 200_000 === 0) say(`${last} products and ${last * ORDERS} orders are there`);
  }
  await keepUnsorted(sql, 64);
  await sql.query('VACUUM ANALYZE');
  await sql.query('CHECKPOINT');
}

/** Many rows at once are sorted into the indexes of names in large lots, and then as the migration has it again. */
async function keepUnsorted(sql: pg.Client, kilobytes: number): Promise<void> {
  for (const index of ['products_block_name_idx', 'products_block_name_grams_idx']) {
    await sql.query(`ALTER INDEX ${index} SET (gin_pending_list_limit = ${kilobytes})`);
  }
}

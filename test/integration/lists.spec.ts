import { RowCountFallback, RowCountFolding } from '../../src/database/lists/row-count-folding.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { scansOf } from '../support/plans.js';

const PRODUCTS = 30_000;
const ORDERS = 30_000;
/** A block of ids holds 1 024 rows, and no page may cost more than a block, its own rows and the counts. */
const MOST_ROWS_READ = 1_024 + 100 + 1;

describe('long lists', () => {
  let environment: Environment;
  let api: Api;
  let folding: RowCountFolding;

  beforeAll(async () => {
    environment = await createEnvironment();
    api = await startApi(environment.config);
    folding = new RowCountFolding(api.app.get(TransactionRunner, { strict: false }));
    const { sql } = environment;
    await sql.query(
      `INSERT INTO products (name, price, stock) SELECT 'Common thing ' || n, 1, 1 FROM generate_series(1, $1::integer) AS n`,
      [PRODUCTS],
    );
    await sql.query(`UPDATE products SET deleted_at = now() WHERE id % 7 = 0 OR id BETWEEN 12000 AND 15000`);
    await sql.query(`UPDATE products SET name = 'Rarity ' || id WHERE id % 10000 = 1`);
    await sql.query(`INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, $1::integer)`, [ORDERS]);
    await sql.query(`UPDATE orders SET status = 'processing' WHERE id % 3 <> 0 OR id % 500 = 0`);
    await sql.query(
      `UPDATE orders SET status = CASE WHEN id % 500 = 0 THEN 'failed' ELSE 'completed' END WHERE status = 'processing'`,
    );
    await sql.query('VACUUM ANALYZE products, orders, row_counts, row_count_changes');
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  const idsOf = (body: { items: { id: number }[] }) => body.items.map(({ id }) => id);
  const truth = async (rows: string) =>
    (await environment.sql.query<{ id: string }>(`SELECT id FROM ${rows} ORDER BY id DESC`)).rows.map(({ id }) =>
      Number(id),
    );

  const LISTS = [
    ['/products?', 'products WHERE deleted_at IS NULL'],
    ['/orders?', 'orders'],
    ['/orders?status=completed&', `orders WHERE status = 'completed'`],
    ['/orders?status=failed&', `orders WHERE status = 'failed'`],
    ['/orders?status=processing&', `orders WHERE status = 'processing'`],
  ] as const;

  const totals = () => Promise.all(LISTS.map(async ([path]) => (await api.get(`${path}page_size=1`)).body.total));

  it.each(LISTS)('gives every page of %s as it is, wherever it lies, and counts exactly', async (path, rows) => {
    const ids = await truth(rows);
    for (const when of ['as they were changed', 'folded']) {
      if (when === 'folded') await folding.run();
      for (const page of [1, 2, 40, 41, 77, 103, 200, 257, 258, 300, 301, 5_000]) {
        const { body } = await api.get(`${path}page=${page}&page_size=100`);
        expect([when, page, body.total, idsOf(body)]).toEqual([
          when,
          page,
          ids.length,
          ids.slice((page - 1) * 100, page * 100),
        ]);
      }
    }
  });

  it('keeps count while rows come, change, go and are rolled back', async () => {
    const client = await environment.sql.connect();
    await client.query('BEGIN');
    await client.query(`UPDATE orders SET status = 'processing' WHERE id <= 100 AND status = 'pending'`);
    await client.query('DELETE FROM orders WHERE id BETWEEN 101 AND 200');
    await client.query('DELETE FROM products WHERE id <= 100');
    const before = await totals();
    await client.query('ROLLBACK');
    client.release();
    expect(await totals()).toEqual(before);

    await environment.sql.query(`UPDATE orders SET status = 'processing' WHERE id <= 100 AND status = 'pending'`);
    await environment.sql.query('DELETE FROM orders WHERE id BETWEEN 101 AND 200');
    await environment.sql.query('DELETE FROM products WHERE id <= 100');
    await environment.sql.query('UPDATE products SET deleted_at = NULL WHERE id BETWEEN 14001 AND 15000');
    const product = await api.createProduct();
    await api.delete(`/products/${product}`);
    await Promise.all([folding.run(), folding.run()]);
    expect(await totals()).toEqual(await Promise.all(LISTS.map(async ([, rows]) => (await truth(rows)).length)));
  });

  it('keeps the changes of counts few while no worker folds them', async () => {
    const { sql } = environment;
    const changes = async () => (await sql.query('SELECT count(*)::int AS count FROM row_count_changes')).rows[0].count;
    const [before] = await totals();
    await folding.run();
    const fallback = api.app.get(RowCountFallback, { strict: false });
    const append = (count: number) =>
      sql.query(
        `INSERT INTO row_count_changes (list, block, change)
         SELECT 'products', 0, (-1) ^ i FROM generate_series(1, $1::integer) AS i`,
        [count],
      );
    await append(49_998);
    expect([await fallback.run(), await changes()]).toEqual([0, 49_998]);
    await append(20_002);
    expect([await fallback.run(), await changes()]).toEqual([70_000, 0]);
    expect((await totals())[0]).toBe(before);
  });

  it.each(['/products?page_size=100', '/products?search=thing&page_size=100', '/orders?status=failed&page_size=7'])(
    'leads through all of %s by links, each row once',
    async (first) => {
      const seen: number[] = [];
      let path: string | undefined = `/api/v1${first}`;
      for (let page = 1; path !== undefined; page++) {
        const response: Response = await fetch(new URL(path, api.url));
        const body = (await response.json()) as { page: number; items: { id: number }[] };
        expect(body.page).toBe(page);
        seen.push(...idsOf(body));
        path = /^<([^>]+)>; rel="next"$/.exec(response.headers.get('Link') ?? '')?.[1];
      }
      const rows = first.startsWith('/orders')
        ? `orders WHERE status = 'failed'`
        : `products WHERE deleted_at IS NULL${first.includes('search') ? ` AND name ILIKE '%thing%'` : ''}`;
      expect(seen).toEqual(await truth(rows));
    },
  );

  it('counts a search to 10 000 and goes on showing its pages', async () => {
    const ids = await truth(`products WHERE deleted_at IS NULL AND name ILIKE '%thing%'`);
    const { body } = await api.get('/products?search=THING&page=150&page_size=100');
    expect([body.total, idsOf(body)]).toEqual([10_000, ids.slice(14_900, 15_000)]);
    const rare = await api.get('/products?search=rarity');
    expect([rare.body.total, idsOf(rare.body)]).toEqual([2, [20_001, 10_001]]);
  });

  it.each([
    ['q', 3, [29_999, 22_222, 7_778]],
    ['Q+', 2, [29_999, 7_778]],
    ['+ä', 1, [29_999]],
    ['\\%_', 1, [22_222]],
    ['_', 1, [22_222]],
    [' %', 1, [22_222]],
    ['o', 10_000, undefined],
    ['9 ', 8_400, undefined],
  ])('finds %j, which holds no three letters in a row', async (search, total, ids) => {
    await environment.sql.query(
      `UPDATE products SET name = CASE id WHEN 7778 THEN 'Xq+y' WHEN 22222 THEN 'q\\%_' ELSE 'q+Ä' END
       WHERE id IN (7778, 22222, 29999)`,
    );
    const { body } = await api.get(`/products?search=${encodeURIComponent(search)}`);
    const found = await truth(
      `products WHERE deleted_at IS NULL AND strpos(lower(name), lower('${search.trim()}')) > 0`,
    );
    expect([body.total, idsOf(body)]).toEqual([total, ids ?? found.slice(0, 10)]);
  });

  it.each(['before=0', 'before=abc', 'before=1.5', 'before=9007199254740992'])('refuses %s', async (parameter) => {
    const { status, body } = await api.get(`/orders?${parameter}`);
    expect([status, body.errors[0].field]).toEqual([422, 'before']);
  });

  it.each([
    '/products',
    '/products?page=10000&page_size=2',
    '/products?before=5000',
    '/products?search=rarity',
    '/products?search=q',
    '/products?search=%2B%2B%2B',
    '/orders',
    '/orders?page=10000&page_size=2',
    '/orders?status=failed',
    '/orders?status=completed&page=1000&page_size=10',
  ])('reads no more than a block of rows for %s, by an index', async (path) => {
    await folding.run();
    const scans = await scansOf(api, () => api.get(path));
    expect(scans.length).toBeGreaterThan(0);
    for (const { statement, node, rows } of scans) {
      expect([statement, node]).toEqual([statement, expect.stringMatching(/Index|Bitmap/)]);
      expect(rows).toBeLessThanOrEqual(MOST_ROWS_READ);
    }
  });
});

import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { REAL } from '../support/limits.js';
import { scansOf } from '../support/plans.js';

const OLD = 20_000;
/** Some more than the numbers of pages reach. */
const NEW = 100_020;
const FIRST_NEW = 200_001;
/** What is counted, the names of two blocks of 32 768 ids, and the page itself. */
const MOST_ROWS_READ = 10_001 + 2 * 32_768 + 100;

describe('a search whose very many hits are all old', () => {
  let environment: Environment;
  let api: Api;

  beforeAll(async () => {
    environment = await createEnvironment();
    api = await startApi(environment.config);
    const { sql } = environment;
    const add = (name: string, count: number) =>
      sql.query(
        `INSERT INTO products (name, price, stock) SELECT $1 || n, 1, 1 FROM generate_series(1, $2::integer) n`,
        [name, count],
      );
    await add('Köln Фонарь 不锈钢 ', OLD);
    const skipTo = (id: number) => sql.query(`SELECT setval(pg_get_serial_sequence('products', 'id'), $1)`, [id - 1]);
    await skipTo(FIRST_NEW);
    await add('Thing ', NEW);
    // As after a restore, which leaves a wide gap in the ids.
    await skipTo(1_000_000_000);
    await add('Latest ', 1);
    await sql.query('VACUUM ANALYZE products');
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  /** Of the `count` hits after `skipped`, the newest first. */
  const oldest = (skipped: number, count: number) => Array.from({ length: count }, (_, index) => OLD - skipped - index);

  it.each(['köln', 'ö', 'öl', 'фонарь', 'онарь', 'Ф', '不锈钢', '锈'])(
    'finds the newest of %j, and those of a page far down',
    async (search) => {
      const idsOf = async (query: string) => {
        const { body } = await api.get(`/products?search=${encodeURIComponent(search)}&${query}`);
        return [body.total, ...body.items.map(({ id }: { id: number }) => id)];
      };
      expect(await idsOf('page=1')).toEqual([10_000, ...oldest(0, 10)]);
      expect(await idsOf('page=1000')).toEqual([10_000, ...oldest(9_990, 10)]);
      expect(await idsOf('page=1500')).toEqual([10_000, ...oldest(14_990, 10)]);
      expect(await idsOf('page_size=1')).toEqual([10_000, OLD]);
      expect(await idsOf('before=150000&page_size=3')).toEqual([10_000, ...oldest(0, 3)]);
      expect(await idsOf(`before=${OLD - 15_000}&page_size=3`)).toEqual([10_000, ...oldest(15_001, 3)]);
      expect(await idsOf('before=1')).toEqual([10_000]);
    },
  );

  it('shows 100 000 by the numbers of pages, and all by links', async () => {
    const last = await fetch(`${api.url}/products?search=thing&page=10000`);
    const { items } = (await last.json()) as { items: { id: number }[] };
    const lowest = FIRST_NEW + NEW - 100_000;
    expect(items.map(({ id }) => id)).toEqual(Array.from({ length: 10 }, (_, index) => lowest + 9 - index));
    const next = /<([^>]+)>/.exec(last.headers.get('Link') ?? '')?.[1]?.replace('/api/v1', '') ?? '';
    expect((await api.get(next)).body.items[0].id).toBe(lowest - 1);
    for (const page of [10_001, 2_147_483_647]) {
      const { status, body } = await api.get(`/products?search=thing&page=${page}`);
      expect([status, body.total, body.items]).toEqual([200, 10_000, []]);
    }
  });

  it('goes on from block to block', async () => {
    const { body } = await api.get('/products?search=thing&before=229378&page_size=5');
    expect(body.items.map(({ id }: { id: number }) => id)).toEqual([229_377, 229_376, 229_375, 229_374, 229_373]);
  });

  it.each([
    'search=köln',
    'search=köln&page_size=1',
    'search=köln&before=290000',
    'search=ö',
    'search=ö&page=1000',
    'search=фонарь',
    'search=нарь&before=290000',
    'search=不锈钢',
    'search=钢',
    'search=щука',
    'search=保温杯',
    'search=g',
    'search=thing&before=229378',
  ])('does not read the new names for ?%s', async (query) => {
    const scans = await scansOf(api, () => api.get(`/products?${encodeURI(query)}`));
    expect(scans.length).toBeGreaterThan(0);
    for (const { statement, node } of scans) {
      expect([statement, node]).toEqual([statement, expect.stringMatching(/Index|Bitmap/)]);
    }
    expect(scans.reduce((sum, { rows }) => sum + rows, 0)).toBeLessThanOrEqual(MOST_ROWS_READ);
  });

  it('leaves most connections to sales, however many ask for the dearest page', async () => {
    const product_id = await api.createProduct({ stock: 1_000 });
    const over = new AbortController();
    let most = 0;
    const watching = (async () => {
      while (!over.signal.aborted) {
        const { rows } = await environment.sql.query(
          `SELECT count(*)::int AS searches FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' AND query LIKE '%search_keys%' AND pid <> pg_backend_pid()`,
        );
        most = Math.max(most, rows[0].searches);
      }
    })();
    const searches = Array.from({ length: 64 }, () => api.get('/products?search=g&page=10000'));
    const sales = [];
    for (let sale = 0; sale < 20; sale++) sales.push((await api.post('/orders', { product_id })).status);
    expect(sales).toEqual(sales.map(() => 201));
    expect(new Set((await Promise.all(searches)).map(({ status }) => status))).toEqual(new Set([200]));
    over.abort();
    await watching;
    expect(most).toBeGreaterThan(0);
    expect(most).toBeLessThanOrEqual(REAL.listsInFlight);
  }, 60_000);
});

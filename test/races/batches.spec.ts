import { arrived } from '../support/arrived.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';
import { useApi } from '../support/use-api.js';

describe('purchases that are committed together', () => {
  const { environment, api } = useApi();

  /** Holds every place in which purchases are served, so that those that follow wait their turn. */
  const holdTurns = async () => {
    const held = await Promise.all([api.createProduct(), api.createProduct()]);
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = ANY ($1) FOR UPDATE', [held]);
    const waiting = held.map((product_id) => api.post('/orders', { product_id }));
    await untilBlockedBy(environment.sql, holder.pid, 2);
    return { held, release: () => holder.end('COMMIT'), waiting };
  };

  it('gives each its own outcome, true at its turn', async () => {
    const [scarce, plenty] = [await api.createProduct({ stock: 3 }), await api.createProduct({ stock: 9 })];
    const { release, waiting } = await holdTurns();
    const orders = [
      { product_id: scarce, quantity: 2 },
      { product_id: scarce, quantity: 2 },
      { product_id: 9999 },
      { items: [{ product_id: plenty, quantity: 4 }, { product_id: scarce }] },
      { items: [{ product_id: plenty }, { product_id: scarce }] },
      { product_id: plenty, quantity: 5 },
    ];
    const answers = [];
    for (const order of orders) answers.push(await arrived(api, api.post('/orders', order)));
    await release();
    const outcomes = (await Promise.all(answers.map(({ answer }) => answer))).map(({ status, body }) => [
      status,
      body.detail ?? body.quantity,
    ]);
    expect(outcomes).toEqual([
      [201, 2],
      [400, 'Insufficient stock. Available: 1, Requested: 2'],
      [404, 'Product with ID 9999 not found'],
      [201, 5],
      [400, `Insufficient stock for product ${scarce}. Available: 0, Requested: 1`],
      [201, 5],
    ]);
    for (const { status } of await Promise.all(waiting)) expect(status).toBe(201);
    const { rows } = await environment.sql.query('SELECT stock FROM products WHERE id = ANY ($1)', [[scarce, plenty]]);
    expect(rows).toEqual([{ stock: 0 }, { stock: 0 }]);
    const { rows: sums } = await environment.sql.query(
      `SELECT count(*)::int AS wrong FROM orders
       WHERE total_price <> (SELECT sum(quantity * unit_price) FROM order_items WHERE order_id = orders.id)`,
    );
    expect(sums).toEqual([{ wrong: 0 }]);
  });

  it('sells to those who ask for less before it sells more to a customer who asks for much', async () => {
    const scarce = await api.createProduct({ stock: 5 });
    const others = await Promise.all(Array.from({ length: 29 }, () => api.createProduct({ stock: 100 })));
    const much = [scarce, ...others].map((product_id) => ({ product_id }));
    const { release, waiting } = await holdTurns();
    const greedy = Array.from({ length: 10 }, () => api.post('/orders', { items: much, customer_ref: 'greedy' }));
    await arrived(api, Promise.all(greedy));
    const modest = [];
    for (const customer_ref of ['modest', undefined, undefined, 'late'])
      modest.push(await arrived(api, api.post('/orders', { product_id: scarce, customer_ref })));
    await release();
    const statuses = (answers: readonly Promise<{ status: number }>[]) =>
      Promise.all(answers).then((all) => all.map(({ status }) => status));
    expect(await statuses(modest.map(({ answer }) => answer))).toEqual([201, 201, 201, 201]);
    expect((await statuses(greedy)).filter((status) => status === 201)).toHaveLength(1);
    await Promise.all(waiting);
  });

  it('sells to those who came while the lock was waited for together with the first of them', async () => {
    const product = await api.createProduct({ stock: 10 });
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [product]);
    const first = api.post('/orders', { product_id: product });
    await untilBlockedBy(environment.sql, holder.pid, 1);
    const late = [];
    for (let buyer = 0; buyer < 5; buyer++) late.push(await arrived(api, api.post('/orders', { product_id: product })));
    await holder.end('COMMIT');
    const ids = (await Promise.all([first, ...late.map(({ answer }) => answer)])).map(({ body }) => body.id);
    const { rows } = await environment.sql.query(
      'SELECT DISTINCT xmin::text AS transaction FROM orders WHERE id = ANY ($1)',
      [ids],
    );
    expect([ids.length, rows.length]).toEqual([6, 1]);
    expect((await api.get(`/products/${product}`)).body.stock).toBe(4);
  });

  it('does not charge a buyer who hung up before the turn came', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { release, waiting } = await holdTurns();
    const buyer = new AbortController();
    const gone = fetch(`${api.url}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ product_id: product }),
      signal: buyer.signal,
    });
    gone.catch(() => undefined);
    await arrived(api, gone);
    const staying = await arrived(api, api.post('/orders', { product_id: product }));
    buyer.abort();
    await expect(gone).rejects.toThrow('aborted');
    await arrived(api, api.get('/health'));
    await release();
    expect((await staying.answer).status).toBe(201);
    await Promise.all(waiting);
    expect((await api.get(`/products/${product}`)).body.stock).toBe(4);
  });

  it('does not fail an order because another of its batch makes PostgreSQL fail', async () => {
    const [bad, good] = [await api.createProduct(), await api.createProduct()];
    await environment.sql.query(`
      CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'on purpose'; END $$;
      CREATE TRIGGER fail BEFORE INSERT ON order_items FOR EACH ROW WHEN (NEW.product_id = ${bad}) EXECUTE FUNCTION fail();`);
    const { release, waiting } = await holdTurns();
    const answers = [];
    for (const product_id of [good, bad, good]) answers.push(await arrived(api, api.post('/orders', { product_id })));
    await release();
    expect((await Promise.all(answers.map(({ answer }) => answer))).map(({ status }) => status)).toEqual([
      201, 500, 201,
    ]);
    await Promise.all(waiting);
    expect((await api.get(`/products/${good}`)).body.stock).toBe(8);
    expect((await api.get(`/products/${bad}`)).body.stock).toBe(10);
  });
});

import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';

/** The pool of the test itself. */
const CONNECTIONS_OF_THE_TEST = 10;

describe.each(['pessimistic', 'optimistic'])('purchases that race, %s', (ORDER_LOCKING) => {
  let environment: Environment;
  let api: Api;

  beforeAll(async () => {
    environment = await createEnvironment({ ORDER_LOCKING });
    api = await startApi(environment.config);
  });

  afterAll(async () => {
    await api.close();
    // Each connection has told its statistics when it has ended.
    await eventually(async () => {
      const { rows } = await environment.sql.query(
        `SELECT (SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database()) AS connections,
                (SELECT deadlocks::int FROM pg_stat_database WHERE datname = current_database()) AS deadlocks`,
      );
      expect(rows[0].connections).toBeLessThanOrEqual(CONNECTIONS_OF_THE_TEST);
      expect(rows[0].deadlocks).toBe(0);
    });
    await environment.close();
  });

  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const buy = (product_id: number, quantity = 1) => api.post('/orders', { product_id, quantity });
  const statusesOf = (answers: Answer[]) => Object.entries(Object.groupBy(answers, ({ status }) => String(status)));
  const soldOf = async (id: number) => {
    const { rows } = await environment.sql.query(
      'SELECT count(*)::int AS orders, sum(quantity)::int AS units FROM order_items WHERE product_id = $1',
      [id],
    );
    return rows[0];
  };

  it('sells the last unit to one of a hundred', async () => {
    const id = await api.createProduct({ stock: 1 });
    const answers = await Promise.all(Array.from({ length: 100 }, () => buy(id)));
    expect(statusesOf(answers).map(([status, group]) => [status, group?.length])).toEqual([
      ['201', 1],
      ['400', 99],
    ]);
    for (const { status, body } of answers) {
      if (status === 400) expect(body.detail).toBe('Insufficient stock. Available: 0, Requested: 1');
    }
    expect(await stockOf(id)).toBe(0);
    expect(await soldOf(id)).toEqual({ orders: 1, units: 1 });
  });

  it('never sells more than there is to two hundred who want one to three', async () => {
    const id = await api.createProduct({ stock: 10 });
    const quantities = Array.from({ length: 200 }, (_, index) => (index % 3) + 1);
    const answers = await Promise.all(quantities.map((quantity) => buy(id, quantity)));

    const sold = answers.filter(({ status }) => status === 201);
    const units = sold.reduce((sum, { body }) => sum + body.quantity, 0);
    expect(answers.every(({ status }) => status === 201 || status === 400)).toBe(true);
    expect(units + (await stockOf(id))).toBe(10);
    expect(await soldOf(id)).toEqual({ orders: sold.length, units });
    for (const [index, { status, body }] of answers.entries()) {
      if (status === 201) continue;
      const available = Number(/Available: (\d+)/.exec(body.detail)?.[1]);
      expect(available).toBeLessThan(quantities[index] ?? 0);
    }
  });

  it('sells (A, B) and (B, A) two hundred times, twenty at once, without a deadlock or an error', async () => {
    const [a, b] = [await api.createProduct({ stock: 1_000 }), await api.createProduct({ stock: 1_000 })];
    const buyTenTimes = async (order: number[]) => {
      const statuses = [];
      for (let time = 0; time < 10; time++) {
        const items = order.map((product_id) => ({ product_id }));
        statuses.push((await api.post('/orders', { items })).status);
      }
      return statuses;
    };
    const buyers = Array.from({ length: 20 }, (_, index) => buyTenTimes(index % 2 === 0 ? [a, b] : [b, a]));
    expect((await Promise.all(buyers)).flat()).toEqual(Array.from({ length: 200 }, () => 201));
    expect([await stockOf(a), await stockOf(b)]).toEqual([800, 800]);
  });

  it('lets the second buyer wait for the first, and decides on what the first left', async () => {
    const id = await api.createProduct({ stock: 5 });
    const first = await openTransaction(environment.sql);
    await first.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [id]);

    const second = buy(id, 3);
    await untilBlockedBy(environment.sql, first.pid, 1);
    await first.query('UPDATE products SET stock = 2, price = 1 WHERE id = $1', [id]);
    await first.end('COMMIT');

    expect((await second).body.detail).toBe('Insufficient stock. Available: 2, Requested: 3');
    expect((await buy(id, 2)).body).toMatchObject({ total_price: 2 });
  });

  it('does not sell a product that was deleted while the buyer waited', async () => {
    const id = await api.createProduct();
    const first = await openTransaction(environment.sql);
    await first.query('UPDATE products SET deleted_at = now() WHERE id = $1', [id]);
    const second = buy(id);
    await untilBlockedBy(environment.sql, first.pid, 1);
    await first.end('COMMIT');
    expect((await second).status).toBe(404);
  });

  it('does not write over a sale with a change of the product', async () => {
    const id = await api.createProduct({ stock: 100, price: 5 });
    for (let round = 1; round <= 4; round++) {
      const sales = Array.from({ length: 10 }, () => buy(id));
      const changes = Array.from({ length: 10 }, (_, index) =>
        api.put(`/products/${id}`, { price: round * index + 1 }),
      );
      for (const { status } of await Promise.all([...sales, ...changes])) expect([200, 201]).toContain(status);
    }
    expect(await stockOf(id)).toBe(60);
  });
});

describe('the database itself', () => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment();
  });

  afterAll(() => environment.close());

  it('refuses a stock below zero and a price of nothing, whoever asks', async () => {
    const insert = (price: number, stock: number) =>
      environment.sql.query(`INSERT INTO products (name, price, stock) VALUES ('x', $1, $2)`, [price, stock]);
    await expect(insert(1, -1)).rejects.toMatchObject({ constraint: 'products_stock_check' });
    await expect(insert(0, 1)).rejects.toMatchObject({ constraint: 'products_price_check' });
    await insert(1, 1);
    await expect(environment.sql.query('UPDATE products SET stock = stock - 2')).rejects.toMatchObject({
      constraint: 'products_stock_check',
    });
  });
});

it('finds rows by their keys, also when PostgreSQL has seen the tables empty', async () => {
  const environment = await createEnvironment();
  const api = await startApi(environment.config);
  const product_id = await api.createProduct({ stock: 100 });
  for (const table of ['orders', 'order_items', 'products']) await environment.sql.query(`VACUUM ANALYZE ${table}`);
  for (let order = 0; order < 20; order++) expect((await api.post('/orders', { product_id })).status).toBe(201);
  await api.close(); // Sessions have told what they have read when they have ended.
  await eventually(async () => {
    const { rows } = await environment.sql.query(
      `SELECT sum(seq_scan)::int AS sequential, sum(idx_scan)::int >= 40 AS by_index FROM pg_stat_user_tables
       WHERE relname IN ('orders', 'products')`,
    );
    expect(rows).toEqual([{ sequential: 0, by_index: true }]);
  });
  await environment.close();
});

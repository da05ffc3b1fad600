import { getDataSourceToken } from '@nestjs/typeorm';
import type { DataSource } from 'typeorm';
import { AuditService } from '../../src/audit/audit.service.js';
import { startApi } from '../support/api.js';
import { useApi } from '../support/use-api.js';

describe('the stock ledger', () => {
  const { environment, api } = useApi();

  const movementsOf = async (id: number) => {
    const { rows } = await environment.sql.query(
      'SELECT kind, quantity::int, stock_after::int, reason FROM stock_movements WHERE product_id = $1 ORDER BY id',
      [id],
    );
    return rows.map(({ kind, quantity, stock_after, reason }) => [kind, quantity, stock_after, reason]);
  };

  it('records what is changed by hand, in the transaction of the change', async () => {
    const { sql } = environment;
    const { rows } = await sql.query<{ id: string }>(
      `INSERT INTO products (name, price, stock) VALUES ('By hand', 1, 5) RETURNING id`,
    );
    const id = Number(rows[0]?.id);
    await sql.query('UPDATE products SET stock = stock - 2, price = 2 WHERE id = $1', [id]);
    await sql.query('UPDATE products SET price = 3 WHERE id = $1', [id]);
    await sql.query(`BEGIN; UPDATE products SET stock = 99 WHERE id = ${id}; ROLLBACK`);
    expect(await movementsOf(id)).toEqual([
      ['initial', 5, 5, null],
      ['adjustment', -2, 3, 'changed in SQL by postgres'],
    ]);
  });

  it('leaves it to the audit to find what the application has not recorded', async () => {
    const id = await api.createProduct({ stock: 5 });
    const { app } = api;
    await app.get<DataSource>(getDataSourceToken()).query('UPDATE products SET stock = 4 WHERE id = $1', [id]);
    expect(await movementsOf(id)).toEqual([['initial', 5, 5, null]]);
    const { findings } = await app.get(AuditService, { strict: false }).run();
    expect(findings).toMatchObject([{ finding: 'STOCK_DIFFERS', count: 1 }]);
    await environment.sql.query('UPDATE products SET stock = 5 WHERE id = $1', [id]);
  });

  it.each([
    `UPDATE stock_movements SET quantity = 1`,
    `DELETE FROM stock_movements`,
    `TRUNCATE stock_movements`,
    `UPDATE order_events SET cause = 'another'`,
    `DELETE FROM order_events`,
    `TRUNCATE order_events`,
  ])('is append-only, as the history of orders is: %s', async (statement) => {
    const id = await api.createProduct();
    await api.post('/orders', { product_id: id });
    await expect(environment.sql.query(statement)).rejects.toThrow('is append-only');
  });

  it.each([
    `VALUES (1, 'gift', 1, 1, NULL)`,
    `VALUES (1, 'adjustment', 0, 1, NULL)`,
    `VALUES (1, 'adjustment', 1, -1, NULL)`,
    `VALUES (1, 'sale', 1, 1, 1)`,
    `VALUES (1, 'sale', -1, 1, NULL)`,
    `VALUES (1, 'release', -1, 1, 1)`,
    `VALUES (1, 'initial', 1, 1, 1)`,
  ])('takes no movement that cannot be: %s', async (values) => {
    const insert = 'INSERT INTO stock_movements (product_id, kind, quantity, stock_after, order_id)';
    await expect(environment.sql.query(`${insert} ${values}`)).rejects.toMatchObject({ code: '23514' });
  });

  it.each(['pessimistic', 'optimistic'])(
    'agrees with stock and orders after many %s sales at once',
    async (locking) => {
      const other = await startApi({
        ...environment.config,
        orders: { ...environment.config.orders, locking } as never,
      });
      try {
        const ids = await Promise.all(Array.from({ length: 4 }, () => api.createProduct({ stock: 40 })));
        const buy = (n: number) =>
          (n % 2 === 0 ? api : other).post('/orders', {
            items: [0, 1].map((next) => ({ product_id: ids[(n + next) % 4], quantity: 1 + (n % 3) })),
          });
        await Promise.all(Array.from({ length: 120 }, (_, n) => buy(n)));
        const { rows } = await environment.sql.query(
          `SELECT id FROM products WHERE id = ANY ($1) AND (
           stock <> (SELECT sum(quantity) FROM stock_movements WHERE product_id = products.id)
           OR stock <> (SELECT stock_after FROM stock_movements WHERE product_id = products.id ORDER BY stock_movements.id DESC LIMIT 1)
           OR (SELECT bool_or(stock_after <> expected) FROM (
                 SELECT stock_after, sum(quantity) OVER (ORDER BY stock_movements.id) AS expected
                 FROM stock_movements WHERE product_id = products.id) AS running)
           OR 40 - stock <> (SELECT sum(quantity) FROM order_items WHERE product_id = products.id))`,
          [ids],
        );
        expect(rows).toEqual([]);
      } finally {
        await other.close();
      }
    },
  );
});

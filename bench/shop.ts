/** The products that are bought in the benchmark, and whether stock and orders agree afterwards. */
import { setTimeout as delay } from 'node:timers/promises';
import type pg from 'pg';
import type { Measured, Request } from './load.ts';

const STOCK = 1_000_000_000;
const SETTLE_TIMEOUT_MS = 20_000;

export class Shop {
  private readonly sql: pg.Pool;
  private ordersSeen = 0;

  constructor(sql: pg.Pool) {
    this.sql = sql;
  }

  /** Empties the shop and puts `products` into it. */
  async open(products: number, stock = STOCK): Promise<void> {
    await this.settle();
    // Not by the triggers, which keep the ledger from being emptied.
    await this.sql.query(
      `BEGIN; SET LOCAL session_replication_role = replica;
       TRUNCATE products, orders, order_items, fulfilment_undos, reservations, reservation_items, stock_movements, order_events,
                idempotency_keys, row_counts, row_count_changes
       RESTART IDENTITY CASCADE; COMMIT`,
    );
    await this.sql.query(
      `INSERT INTO products (name, price, stock) SELECT 'Product ' || n, 9.99, $2 FROM generate_series(1, $1::integer) AS n`,
      [products, stock],
    );
    // Not the empty tables: PostgreSQL would plan for their being empty until it looks at them again by itself.
    await this.sql.query('VACUUM ANALYZE products');
    await this.sql.query('CHECKPOINT');
    this.ordersSeen = 0;
  }

  /** Makes pending orders of one unit each, spread over the products; gives the first of their ids, which follow each other. */
  async sell(count: number): Promise<number> {
    return this.make(
      `WITH made AS (
         INSERT INTO orders (total_price) SELECT 9.99 FROM generate_series(1, $1::integer) RETURNING id
       ), filled AS (
         INSERT INTO order_items (order_id, product_id, quantity, unit_price)
         SELECT id, 1 + id % (SELECT count(*) FROM products), 1, 9.99 FROM made
       ), begun AS (
         INSERT INTO order_events (order_id, status, cause) SELECT id, 'pending', 'bought' FROM made
       )
       SELECT min(id) AS first FROM made`,
      count,
    );
  }

  /** The same of reservations that are held for an hour. */
  async hold(count: number): Promise<number> {
    return this.make(
      `WITH made AS (
         INSERT INTO reservations (expires_at) SELECT now() + interval '1 hour' FROM generate_series(1, $1::integer) RETURNING id
       ), filled AS (
         INSERT INTO reservation_items (reservation_id, product_id, quantity)
         SELECT id, 1 + id % (SELECT count(*) FROM products), 1 FROM made
       )
       SELECT min(id) AS first FROM made`,
      count,
    );
  }

  private async make(statement: string, count: number): Promise<number> {
    const { rows } = await this.sql.query<{ first: string }>(statement, [count]);
    return Number(rows[0]?.first);
  }

  /**
   * Throws unless every unit that left the stock is in an order, every order has its items and its total, and there are as
   * many new orders as were confirmed: clients that left at the end may have bought without hearing of it.
   */
  async check({ requests, refused }: Measured, clients: number): Promise<void> {
    await this.settle();
    const { rows } = await this.sql.query<{ wrong_stock: number; wrong_orders: number; orders: number }>(
      `WITH sold AS (SELECT product_id, sum(quantity) AS units FROM order_items GROUP BY 1),
            filled AS (SELECT order_id, sum(quantity * unit_price) AS total FROM order_items GROUP BY 1),
            first AS (SELECT max(stock + coalesce(units, 0)) AS stock FROM products LEFT JOIN sold ON product_id = id)
       SELECT (SELECT count(*)::integer FROM products LEFT JOIN sold ON product_id = id, first
               WHERE products.stock + coalesce(units, 0) <> first.stock) AS wrong_stock,
              (SELECT count(*)::integer FROM orders LEFT JOIN filled ON order_id = id
               WHERE total IS DISTINCT FROM total_price) AS wrong_orders,
              (SELECT count(*)::integer FROM orders) AS orders`,
    );
    const [found] = rows;
    if (found === undefined) throw new Error('PostgreSQL did not answer');
    const confirmed = requests - refused;
    const written = found.orders - this.ordersSeen;
    this.ordersSeen = found.orders;
    if (found.wrong_stock > 0)
      throw new Error(`The stock of ${found.wrong_stock} products does not agree with their orders`);
    if (found.wrong_orders > 0) throw new Error(`${found.wrong_orders} orders do not agree with their items`);
    if (written < confirmed || written > confirmed + clients) {
      throw new Error(`${confirmed} orders were confirmed and ${written} are in the database`);
    }
  }

  /** Waits until nobody writes any more: requests that were under way when the load ended run to their end. */
  async settle(): Promise<void> {
    const deadline = Date.now() + SETTLE_TIMEOUT_MS;
    for (let quiet = 0; quiet < 3;) {
      const { rows } = await this.sql.query(
        `SELECT FROM pg_stat_activity
         WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle' AND backend_type = 'client backend'`,
      );
      quiet = rows.length === 0 ? quiet + 1 : 0;
      if (Date.now() > deadline) throw new Error('The database did not come to rest');
      await delay(30);
    }
  }
}

/** Orders of one unit of one of the first `products` products. */
export function purchases(products: number): Request[] {
  return Array.from({ length: products }, (_, index) => ({
    method: 'POST',
    path: '/api/v1/orders',
    body: { product_id: index + 1 },
  }));
}

/** Orders of three neighbouring products. */
export function largePurchases(products: number): Request[] {
  return Array.from({ length: products - 2 }, (_, index) => ({
    method: 'POST',
    path: '/api/v1/orders',
    body: { items: [1, 2, 3].map((next) => ({ product_id: index + next, quantity: next })) },
  }));
}

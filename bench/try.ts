import { load } from './load.ts';
import { pgbench } from './pgbench.ts';
import { setUp, startApi, startPeer, tearDown, startWorker } from './stage.ts';
process.on('SIGINT', () => void tearDown().then(() => process.exit(1)));
const only = process.argv[2]?.split(',') ?? ['hot', 'spread', 'sold', 'cached', 'plain'];
const S = Number(process.env.S ?? 5);
const stage = await setUp();
try {
  const reset = async (n: number, stock: number) => {
    await stage.sql.query('TRUNCATE products, orders, order_items RESTART IDENTITY');
    await stage.sql.query(
      `INSERT INTO products (name, price, stock) SELECT 'Product ' || n, 9.99, $2 FROM generate_series(1, $1::int) n`,
      [n, stock],
    );
    await stage.sql.query('VACUUM ANALYZE products');
    await stage.sql.query('CHECKPOINT');
  };
  await reset(100, 100_000_000);
  const api = await startApi(stage, {
    SWEEP_AFTER_MS: '3600000',
    ...(process.env.NODISPATCH ? { NODISPATCH: '1' } : {}),
    ...(process.env.OPT ? { ORDER_LOCKING: 'optimistic' } : {}),
  });
  const peer = await startPeer(stage);
  const show = (name: string, m: { rate: number; p50: number; p99: number; refused: number; broken: number }) =>
    console.log(
      name.padEnd(28),
      String(Math.round(m.rate)).padStart(7),
      'p50',
      m.p50.toFixed(2),
      'p99',
      m.p99.toFixed(2),
      'refused',
      m.refused,
      'broken',
      m.broken,
    );
  const buy = (n: number) =>
    Array.from({ length: n }, (_, i) => ({
      method: 'POST' as const,
      path: '/api/v1/orders',
      body: { product_id: i + 1 },
    }));
  const l = (url: string, requests: any, connections = 64, seconds = S) =>
    load({ url, requests, connections, seconds });
  const empty = async () =>
    show('empty POST', await l(peer.url, [{ method: 'POST', path: '/api/v1/empty', body: { product_id: 1 } }]));
  const emptyGet = async () => show('empty GET', await l(peer.url, [{ method: 'GET', path: '/api/v1/empty' }]));
  await l(api.url, buy(1), 64, 3);
  await l(peer.url, buy(1), 64, 1);
  await new Promise((r) => setTimeout(r, 1500));
  for (const what of only) {
    if (what === 'hot') {
      await empty();
      show('hot', await l(api.url, buy(1)));
      show('hot c1', await l(api.url, buy(1), 1, 2));
      show('peer hot', await l(peer.url, buy(1)));
      show('peer hot c1', await l(peer.url, buy(1), 1, 2));
      for (const clients of [16, 64])
        console.log('pgbench hot', clients, await pgbench(stage.databaseUrl, { clients, products: 1, seconds: S }));
    }
    if (what === 'h') {
      await empty();
      for (let i = 0; i < 3; i++) show('hot', await l(api.url, buy(1)));
    }
    if (what === 's') {
      for (let i = 0; i < 3; i++) show('spread', await l(api.url, buy(100)));
    }
    if (what === 'spread') {
      show('spread', await l(api.url, buy(100)));
      show('peer spread', await l(peer.url, buy(100)));
      for (const clients of [16, 64])
        console.log(
          'pgbench spread',
          clients,
          await pgbench(stage.databaseUrl, { clients, products: 100, seconds: S }),
        );
    }
    if (what === 'sold') {
      await stage.sql.query('UPDATE products SET stock = 0 WHERE id = 1');
      await empty();
      show('sold out', await l(api.url, buy(1)));
    }
    if (what === 'cached') {
      await emptyGet();
      show('cached', await l(api.url, [{ method: 'GET', path: '/api/v1/products/1/cached' }]));
    }
    if (what === 'plain') {
      await emptyGet();
      show('plain', await l(api.url, [{ method: 'GET', path: '/api/v1/products/1' }]));
      show(
        'plain100',
        await l(
          api.url,
          Array.from({ length: 100 }, (_, i) => ({ method: 'GET', path: `/api/v1/products/${i + 1}` })),
        ),
      );
    }
    if (what === 'drain') {
      await stage.sql.query("UPDATE orders SET status = 'completed' WHERE status = 'pending'");
      await l(api.url, buy(100), 64, 5);
      const open = async () =>
        Number(
          (await stage.sql.query("SELECT count(*) FROM orders WHERE status IN ('pending','processing')")).rows[0].count,
        );
      await new Promise((r) => setTimeout(r, 3000));
      const n = await open();
      const worker = startWorker(stage, {
        SWEEP_AFTER_MS: '3600000',
        ...(process.env.CONC ? { WORKER_CONCURRENCY: process.env.CONC } : {}),
      });
      const done = async () =>
        Number((await stage.sql.query("SELECT count(*) FROM orders WHERE status = 'completed'")).rows[0].count);
      const before = await done();
      while ((await done()) === before) await new Promise((r) => setTimeout(r, 20));
      const t = performance.now();
      const from = await done();
      for (let i = 0; i < 80 && (await done()) - before < n; i++) {
        await new Promise((r) => setTimeout(r, 250));
        if (i % 8 === 0)
          console.log(
            (await stage.sql.query('SELECT status, count(*) FROM orders GROUP BY 1')).rows
              .map((r) => r.status + ' ' + r.count)
              .join(),
            n,
            before,
          );
      }
      console.log('drain', n, Math.round((((await done()) - from) / (performance.now() - t)) * 1000), '/s');
      await worker.stop();
    }
  }
} finally {
  await tearDown();
}

import { spawn, spawnSync } from 'node:child_process';
import { Readable, Writable } from 'node:stream';
import { gunzipSync, gzipSync } from 'node:zlib';
import { Redis } from 'ioredis';
import { backUp as backUpTo } from '../../src/backup/back-up.js';
import { restore as restoreInto } from '../../src/backup/restore.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { startWorker } from '../support/worker.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const TABLES = ['products', 'orders', 'order_items', 'stock_movements', 'order_events', 'idempotency_keys']
  .concat(['reservations', 'reservation_items', 'row_counts', 'row_count_changes'])
  .sort();

/** Sells by hand, in a process of its own, while this one waits for it. */
const SELL = `
  import pg from 'pg';
  const client = new pg.Client({ connectionString: process.argv[1] });
  await client.connect();
  await client.query(\`WITH sold AS (INSERT INTO orders (total_price) VALUES (1) RETURNING id)
    INSERT INTO order_items (order_id, product_id, quantity, unit_price) SELECT id, 1, 1, 1 FROM sold\`);
  await client.end();`;

describe('a backup', () => {
  let source: Environment;
  let target: Environment;
  let api: Api;

  beforeEach(async () => {
    [source, target] = [await createEnvironment(), await createEnvironment()];
    api = await startApi(source.config);
  });

  afterEach(async () => {
    await api.close();
    await source.close();
    await target.close();
  });

  /** As `npm run backup` and `npm run restore` run it. */
  const run = async (flag: string, variables: Record<string, string>, input: Uint8Array = Buffer.alloc(0)) => {
    const env = { ...BASE_ENVIRONMENT, ...variables };
    const child = spawn(process.execPath, ['dist/src/main.js', flag], { env });
    const output = { stdout: [] as Buffer[], stderr: [] as Buffer[] };
    for (const name of ['stdout', 'stderr'] as const)
      child[name].on('data', (chunk: Buffer) => output[name].push(chunk));
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    const code = await new Promise<number | null>((resolve) => child.once('close', resolve));
    return { code, backup: Buffer.concat(output.stdout), said: Buffer.concat(output.stderr).toString() };
  };
  const backUp = async () => {
    const { DATABASE_URL = '' } = source.variables;
    const { code, backup, said } = await run('--backup', { DATABASE_URL });
    expect([code, said]).toEqual([0, expect.stringContaining('orders: ')]);
    return backup;
  };
  const restore = (backup: Uint8Array) => run('--restore', target.variables, backup);
  const restoreHere = (backup: Uint8Array) =>
    restoreInto(target.config, Readable.from([backup]), { actor: 'command:test', report: () => undefined });
  const audit = async (environment: Environment) => (await run('--audit', environment.variables)).code;
  const contentOf = async ({ sql }: Environment) =>
    Object.fromEntries(
      await Promise.all(
        TABLES.map(async (table) => [table, (await sql.query(`SELECT * FROM ${table} ORDER BY 1, 2`)).rows] as const),
      ),
    );
  const trade = async () => {
    const products = [await api.createProduct({ stock: 500 }), await api.createProduct({ name: 'Ä', stock: 9 })];
    // As an earlier version took it.
    await source.sql.query('UPDATE products SET name = $2 WHERE id = $1', [products[1], 'Ä\t\\.\n\u2028']);
    const items = products.map((product_id) => ({ product_id }));
    const bought = await api.post('/orders', { items }, { 'Idempotency-Key': 'kept' });
    const cancelled = await api.post('/orders', { product_id: products[0] });
    await api.post(`/orders/${cancelled.body.id}/cancel`);
    const held = await api.post('/reservations', { items, ttl_seconds: 600 });
    return { products, items, bought: bought.body, held: held.body.id as number };
  };

  it('is restored into a new database, which agrees with itself and goes on selling', async () => {
    const { products, items, bought, held } = await trade();
    const backup = await backUp();
    expect(await restore(backup)).toMatchObject({ code: 0 });
    const { rows: actions } = await target.sql.query('SELECT type, actor FROM actions ORDER BY id DESC LIMIT 1');
    expect(actions).toEqual([{ type: 'database.restored', actor: expect.stringMatching(/^command:/) }]);
    expect(await contentOf(target)).toEqual(await contentOf(source));
    expect(await audit(target)).toBe(0);

    const restored = await startApi(target.config);
    const worker = await startWorker(target.config);
    try {
      const again = await restored.post('/orders', { items }, { 'Idempotency-Key': 'kept' });
      expect([again.headers.get('Idempotent-Replayed'), again.body]).toEqual(['true', bought]);
      const confirmed = await restored.post('/orders', { reservation_id: held });
      expect([confirmed.status, (await restored.delete(`/reservations/${held}`)).status]).toEqual([201, 409]);
      const fresh = await restored.post('/orders', { product_id: products[0] });
      // What was sold after the backup and is lost keeps its ids to itself.
      expect(fresh.body.id).toBeGreaterThan(bought.id + 1_000_000);
      expect((await restored.get('/orders?page_size=100')).body).toMatchObject({ total: 4 });
      await eventually(async () => {
        expect((await restored.get(`/orders/${fresh.body.id}/status`)).body.status).toBe('completed');
      });
      expect(await audit(target)).toBe(0);
    } finally {
      await worker.close();
      await restored.close();
    }
  }, 60_000);

  it('is of one moment, also when orders are sold while it is made', async () => {
    await trade();
    const before = await contentOf(source);
    const chunks: Buffer[] = [];
    const collect = new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        chunks.push(chunk);
        done();
      },
    });
    const url = source.variables.DATABASE_URL ?? '';
    await backUpTo(url, collect, (line) => {
      // One table has been read; what is sold now is not in it, and so may not be in the next.
      if (line.startsWith('order_items')) spawnSync(process.execPath, ['--input-type=module', '-e', SELL, url]);
    });
    expect((await contentOf(source)).orders).toHaveLength((before.orders ?? []).length + 1);
    await restoreHere(Buffer.concat(chunks));
    expect(await contentOf(target)).toEqual(before);
  });

  it('empties Redis, which knows of another time, and gives no id out that an earlier restore has', async () => {
    const { products } = await trade();
    const backup = await backUp();
    await eventually(async () => expect((await api.get('/health/cache/stats')).status).toBe(200));
    await api.get(`/products/${products[0]}/cached`);
    const redis = new Redis(target.config.queue.url);
    try {
      await eventually(async () => {
        expect((await api.get('/health/cache/stats')).body.total_keys).toBe(1);
        expect(await redis.dbsize()).toBeGreaterThan(0);
      });
      await restoreHere(backup);
      expect([(await api.get('/health/cache/stats')).body.total_keys, await redis.dbsize()]).toEqual([0, 0]);
    } finally {
      redis.disconnect();
    }
    const nextId = async ({ sql }: Environment) =>
      Number((await sql.query(`SELECT nextval(pg_get_serial_sequence('orders', 'id')) AS id`)).rows[0].id);
    const other = await createEnvironment();
    try {
      await new Promise((resolve) => setTimeout(resolve, 1_000));
      await restoreInto(other.config, Readable.from([backup]), { actor: 'command:test', report: () => undefined });
      expect(await nextId(other)).toBeGreaterThan((await nextId(target)) + 5_000);
    } finally {
      await other.close();
    }
  });

  it('is refused, and changes nothing, when it is not whole, of another version, or the database is not empty', async () => {
    await trade();
    const text = gunzipSync(await backUp()).toString();
    const refusals: [string, string][] = [
      ['ends in the middle', text.slice(0, text.length / 2)],
      ['ends in the middle', text.slice(0, text.lastIndexOf('{'))],
      [
        'of another version: its last migration is FromTheFuture',
        text.replace(/"migrations":\[.*?\]/, '"migrations":["FromTheFuture"]'),
      ],
      ['not a backup', '{"format":"other"}\n'],
      ['does not go on with the table', text.replace('{"table":"orders"', '{"table":"disorders"')],
      ['not a backup', 'x'.repeat(40_000_000)],
      ['a line of it has no end', text.replace(/({"table":"order_items".*\n)/, `$1${'1'.repeat(40_000_000)}`)],
      ['goes on after its last line', `${text}{}\n`],
      ['does not tell the last id of orders', text.replace(/"orders":"\d+"/, '"disorders":"1"')],
      ['violates check constraint "products_stock_check"', text.replace(/\t89\.90\t\d+\t/, '\t89.90\t-1\t')],
      ['violates foreign key constraint', text.replace(/({"table":"order_items".*\n)\d+/, '$1999')],
    ];
    for (const [reason, broken] of refusals) await expect(restoreHere(gzipSync(broken))).rejects.toThrow(reason);
    expect(await restore(Buffer.from('no gzip'))).toMatchObject({
      code: 2,
      said: expect.stringContaining('not a backup'),
    });
    const withoutRedis = { ...target.config, queue: { url: 'redis://127.0.0.1:1/0' } };
    await expect(
      restoreInto(withoutRedis, Readable.from([gzipSync(text)]), { actor: 'command:test', report: () => undefined }),
    ).rejects.toThrow('The Redis of the queue could not be emptied, nothing is restored');
    expect(Object.values(await contentOf(target)).flat()).toEqual([]);

    await restoreHere(gzipSync(text));
    const before = await contentOf(target);
    await expect(restoreHere(gzipSync(text))).rejects.toThrow('not empty');
    expect(await contentOf(target)).toEqual(before);
  }, 60_000);
});

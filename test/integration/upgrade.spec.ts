import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import pg from 'pg';
import { AuditService } from '../../src/audit/audit.service.js';
import { type Config, loadConfig } from '../../src/config/config.js';
import { MIGRATE } from '../../tools/commands.ts';
import { type Api, startApi } from '../support/api.js';
import { emptyRedis } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { administer, createTestDatabase, redisUrls } from '../support/services.js';
import { startWorker } from '../support/worker.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);
const FOLDER = new URL('../upgrade/', import.meta.url);
const read = (file: string) => readFileSync(new URL(file, FOLDER), 'utf8');
/** Migrations of version 1.0.0. */
const OF_BEFORE = 14;

interface Statement {
  readonly session: number;
  readonly text: string;
  readonly values?: readonly (string | null)[];
}

/** See test/upgrade/README.md. */
describe('an upgrade from version 1.0.0', () => {
  let url: string;
  let sql: pg.Client;
  let name: string;

  beforeEach(async () => {
    await emptyRedis();
    const { url: other, drop } = await createTestDatabase();
    await drop();
    name = `upgrade_${randomUUID().slice(0, 8)}`;
    await administer(`CREATE DATABASE ${name}`);
    ({ href: url } = Object.assign(new URL(other), { pathname: `/${name}` }));
    sql = new pg.Client({ connectionString: url });
    await sql.connect();
    await sql.query(read('1.0.0.sql'));
    // As if it had been used until a moment ago.
    await sql.query('UPDATE idempotency_keys SET created_at = now()');
  });

  afterEach(async () => {
    await sql.end();
    await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  });

  const typeorm = async (command: string) => {
    const env = { ...BASE_ENVIRONMENT, DATABASE_URL: url };
    await execute(process.execPath, [MIGRATE[0] ?? '', command, ...MIGRATE.slice(2)], { env });
  };
  const config = (): Config => loadConfig({ ...redisUrls(), LOG_LEVEL: 'error', PORT: '0', DATABASE_URL: url }, 'api');
  const rows = async (text: string) => (await sql.query<Record<string, unknown>>(text)).rows;
  const schema = () =>
    rows(`
      SELECT format('%s.%s %s %s', relname, attname, atttypid::regtype, attnotnull) AS thing FROM pg_attribute
      JOIN pg_class ON pg_class.oid = attrelid
      WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND attnum > 0 AND NOT attisdropped
      UNION ALL SELECT pg_get_constraintdef(oid) || conname FROM pg_constraint WHERE connamespace = 'public'::regnamespace
      UNION ALL SELECT pg_get_triggerdef(oid) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT indexdef FROM pg_indexes WHERE schemaname = 'public'
      UNION ALL SELECT pg_get_functiondef(oid) FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND prokind = 'f'
        AND NOT EXISTS (SELECT FROM pg_depend WHERE classid = 'pg_proc'::regclass AND objid = pg_proc.oid AND deptype = 'e')
      ORDER BY thing`);

  /** As processes of version 1.0.0 do, each on its own connection, with its settings. */
  const replayOldProcesses = async () => {
    const statements = JSON.parse(read('1.0.0-statements.json')) as Statement[];
    const sessions = new Map<number, pg.Client>();
    for (const { session, text, values } of statements) {
      let client = sessions.get(session);
      if (client === undefined) {
        const options = '-c enable_seqscan=off -c jit=off -c order_system.writes_ledger=on';
        client = new pg.Client({ connectionString: url, application_name: 'order-system', options });
        sessions.set(session, client);
        await client.connect();
      }
      await client.query({ text, ...(values === undefined ? {} : { values: [...values] }) });
    }
    for (const client of sessions.values()) await client.end();
  };

  const findingsOf = async (api: Api) => (await api.app.get(AuditService, { strict: false }).run()).findings;

  it('keeps everything, lets the old processes go on beside the new ones, and ends what they have begun', async () => {
    await typeorm('migration:run');
    const api = await startApi(config());
    try {
      expect((await api.get('/health/ready')).body.status).toBe('ready');
      expect(await findingsOf(api)).toEqual([]);
      const [before] = await rows('SELECT count(*)::int AS orders, sum(stock)::int AS stock FROM products, orders');
      await replayOldProcesses();
      expect(await rows('SELECT count(*)::int AS orders FROM orders')).toEqual([{ orders: 14 }]);
      expect(before).toBeDefined();
      expect(await findingsOf(api)).toEqual([]);

      // What clients were told by the old version, they are told again.
      const again = (path: string, body: unknown, key: string) => api.post(path, body, { 'Idempotency-Key': key });
      const order = await again(
        '/orders',
        { items: [{ product_id: 1, quantity: 2 }, { product_id: 4 }] },
        'bought in 1.0.0',
      );
      expect([order.status, order.body.id, order.headers.get('Idempotent-Replayed')]).toEqual([201, 4, 'true']);
      const refused = await again('/orders', { product_id: 1, quantity: 5_000 }, 'refused in 1.0.0');
      expect([refused.status, refused.headers.get('Idempotent-Replayed')]).toEqual([400, 'true']);
      const product = { name: 'Straße Фонарь ﬁn', price: 5, stock: 50 };
      expect((await again('/products', product, 'made in 1.0.0')).body.id).toBe(2);
      expect((await again('/products', { ...product, price: 6 }, 'made in 1.0.0')).status).toBe(422);

      // Names of before, and one that an old process has written since, are found as a shopper sees them.
      const found = async (search: string) =>
        (await api.get(`/products?search=${encodeURIComponent(search)}`)).body.items.map(
          ({ id }: { id: number }) => id,
        );
      expect(await found('фонарь')).toEqual([2]);
      expect(await found('STRASSE')).toEqual([2]);
      expect(await found('café')).toEqual([4]);
      expect(await found('better keyboard')).toEqual([1]);
      expect(await found('made by 1')).toEqual([5]);

      expect((await api.post('/orders/1/cancel')).body.code).toBe('ORDER_NOT_CANCELLABLE');
      expect((await api.post('/orders', { items: [{ product_id: 2 }, { product_id: 5 }] })).status).toBe(201);
      expect((await api.get('/orders/7/events')).body.items.map(({ status }: { status: string }) => status)).toEqual([
        'pending',
        'cancelled',
      ]);
      expect((await api.get('/orders')).body.total).toBe(15);
      expect((await api.get('/products')).body.total).toBe(4);

      const calls: number[] = [];
      const open = (await rows(`SELECT id::int FROM orders WHERE status IN ('pending', 'processing') ORDER BY id`)).map(
        ({ id }) => id,
      );
      const worker = await startWorker(
        { ...config(), orders: { ...config().orders, sweepAfterMs: 0, sweepIntervalMs: 100 } },
        async (id) => void calls.push(id),
      );
      try {
        await eventually(async () =>
          expect(await rows(`SELECT FROM orders WHERE status IN ('pending', 'processing')`)).toEqual([]),
        );
      } finally {
        await worker.close();
      }
      expect(calls.sort((a, b) => a - b)).toEqual(open);
      expect(await findingsOf(api)).toEqual([]);
    } finally {
      await api.close();
    }
  }, 60_000);

  it('is taken back to the very same schema, as long as nothing new was written', async () => {
    const before = await schema();
    const migrations = await rows('SELECT name FROM migrations ORDER BY id');
    expect(migrations).toHaveLength(OF_BEFORE);
    await typeorm('migration:run');
    const [count] = await rows('SELECT count(*)::int AS migrations FROM migrations');
    expect(count?.migrations).toBeGreaterThan(OF_BEFORE);
    for (let left = Number(count?.migrations); left > OF_BEFORE; left--) await typeorm('migration:revert');
    expect(await rows('SELECT name FROM migrations ORDER BY id')).toEqual(migrations);
    expect(await schema()).toEqual(before);
    // Old processes go on as if nothing had been.
    await replayOldProcesses();
    expect(await rows('SELECT count(*)::int AS orders FROM orders')).toEqual([{ orders: 14 }]);
  }, 120_000);
});

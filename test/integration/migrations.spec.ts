import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { DataSource, type Logger } from 'typeorm';
import { connectionOptions } from '../../src/database/data-source-options.js';
import { patientMigrations } from '../../src/database/patient-migrations.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment } from '../support/environment.js';
import { createTestDatabase, type TestDatabase } from '../support/services.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';

const execute = promisify(execFile);
const FOLDER = new URL('../../migrations/', import.meta.url);

const typeorm = async (url: string, ...args: string[]) => {
  const env = { ...process.env, DATABASE_URL: url };
  const command = ['node_modules/typeorm/cli.js', ...args, '-d', 'dist/src/database/data-source.js'];
  return execute(process.execPath, command, { env });
};

describe('the migrations', () => {
  let database: TestDatabase;
  let sql: pg.Client;

  beforeAll(async () => {
    database = await createTestDatabase();
    sql = new pg.Client({ connectionString: database.url });
    await sql.connect();
  });

  afterAll(async () => {
    await sql.end();
    await database.drop();
  });

  const query = async (text: string) => (await sql.query<{ name: string }>(text)).rows.map(({ name }) => name);
  const schema = () =>
    query(`
      SELECT format('%s %s', relkind, relname) AS name FROM pg_class
      WHERE relnamespace = 'public'::regnamespace AND relname !~ '^(migrations|PK_)'
      UNION ALL SELECT format('constraint %s', conname) FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND conrelid <> 'migrations'::regclass
      UNION ALL SELECT format('trigger %s', tgname) FROM pg_trigger WHERE NOT tgisinternal
      UNION ALL SELECT format('function %s', proname) FROM pg_proc WHERE prolang = (SELECT oid FROM pg_language WHERE lanname = 'plpgsql')
      ORDER BY name`);

  it('agree with the entities', async () => {
    const { stdout } = await typeorm(database.url, 'migration:generate', '--check', '--dryrun', 'migrations/drift');
    expect(stdout).toContain('No changes');
  }, 60_000);

  it('go down to nothing, and up to the same again', async () => {
    const before = await schema();
    expect(before).toContain('r orders');
    const steps = await query('SELECT name FROM migrations');
    for (let step = 0; step < steps.length; step++) await typeorm(database.url, 'migration:revert');
    expect(await schema()).toEqual([]);
    await typeorm(database.url, 'migration:run');
    expect(await schema()).toEqual(before);
  }, 60_000);

  it('name every constraint and index after its table', async () => {
    const names = await query(`
      SELECT conrelid::regclass || ' ' || conname AS name FROM pg_constraint
      WHERE connamespace = 'public'::regnamespace AND contype <> 'n' AND conrelid <> 'migrations'::regclass`);
    expect(names.length).toBeGreaterThan(5);
    for (const name of names) expect(name).toMatch(/^(\w+) \1_\w+$/);
  });

  it('change no table, up or down, without a limit on how long sales wait behind them', async () => {
    const statements: string[] = [];
    const logger = new Proxy({} as Logger, {
      get: (_target, method) => (method === 'logQuery' ? (text: string) => statements.push(text) : () => undefined),
    });
    const migrations = await patientMigrations(FOLDER);
    const source = new DataSource({ ...connectionOptions(database.url), migrations, logger, logging: ['query'] });
    await source.initialize();
    const names = migrations.map((migration) => new migration().name);
    expect(names).toEqual(await query('SELECT name FROM migrations ORDER BY timestamp'));
    for (let step = 0; step < names.length; step++) await source.undoLastMigration({ transaction: 'each' });
    expect(await query('SELECT name FROM migrations')).toEqual([]);
    await source.runMigrations({ transaction: 'each' });
    await source.destroy();

    let isBounded = false;
    const unbounded: string[] = [];
    for (const statement of statements) {
      if (/^SET lock_timeout TO/.test(statement)) isBounded = !statement.endsWith(' 0');
      else if (/^RESET lock_timeout/.test(statement)) isBounded = false;
      else if (/^\s*(ALTER|CREATE|DROP|LOCK|TRUNCATE)\b/i.test(statement) && !isBounded) unbounded.push(statement);
    }
    // TypeORM's own table, and indexes for which nobody has to wait.
    expect(unbounded.filter((text) => !/INDEX CONCURRENTLY|"migrations"/.test(text))).toEqual([]);
    expect(statements.filter((text) => /^\s*ALTER TABLE/.test(text)).length).toBeGreaterThan(5);
  }, 60_000);
});

describe('a migration whose table somebody uses for long', () => {
  let environment: Awaited<ReturnType<typeof createEnvironment>>;
  let api: Api;

  beforeAll(async () => {
    environment = await createEnvironment();
    api = await startApi(environment.config);
  });

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  it('lets sales go on, tells who uses it, and is made when that has ended', async () => {
    const product_id = await api.createProduct({ stock: 1_000 });
    const user = await openTransaction(environment.sql);
    // As one that has written holds them: what changes a table waits for that, even what readers may go on beside.
    await user.query(
      `LOCK TABLE actions, api_keys, event_log, minute_statistics, order_events, orders, products, reservations IN ROW EXCLUSIVE MODE`,
      [],
    );
    const url = environment.variables.DATABASE_OWNER_URL ?? '';
    const reverted = typeorm(url, 'migration:revert');
    // It has asked for the lock, and gives it up again.
    for (const blocked of [1, 0, 1]) await untilBlockedBy(environment.sql, user.pid, blocked);
    for (let sale = 0; sale < 5; sale++) {
      const key = { 'Idempotency-Key': `while a migration waits ${sale}` };
      expect((await api.post('/orders', { product_id }, key)).status).toBe(201);
    }
    await user.end('COMMIT');
    expect((await reverted).stderr).toContain(`process ${user.pid} (`);
    expect((await typeorm(url, 'migration:run')).stdout).toContain('has been executed successfully');
  }, 60_000);
});

import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import pg from 'pg';
import { AuditService } from '../../src/audit/audit.service.js';
import { loadConfig } from '../../src/config/config.js';
import { type DatabaseRoles, makeDatabaseRoles } from '../../src/database/roles/database-roles.js';
import { APPLICATION_PRIVILEGES } from '../../src/database/roles/privileges.js';
import { MIGRATE } from '../../tools/commands.ts';
import { startApi } from '../support/api.js';
import { emptyRedis } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { administer, createTestDatabase, redisUrls, type TestDatabase } from '../support/services.js';
import { startWorker } from '../support/worker.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);
const DENIED = /permission denied|must be owner|must be superuser|Only roles with/;

describe('the roles of PostgreSQL', () => {
  let database: TestDatabase;
  let roles: DatabaseRoles & { reader: URL };
  const said: string[] = [];

  beforeAll(async () => {
    await emptyRedis();
    database = await createTestDatabase();
    roles = rolesOf(database.url);
    // The tables are those of before: a superuser owns them, who is the only role that there is.
    await makeDatabaseRoles(roles, (line) => said.push(line));
  });

  afterAll(async () => {
    await database.drop();
    for (const { username } of [roles.reader, roles.owner, roles.application])
      await administer(`DROP ROLE ${username}`);
  });

  const as = async (url: URL, ...statements: string[]) => {
    const client = new pg.Client({ connectionString: url.href });
    await client.connect();
    try {
      let result: pg.QueryResult | undefined;
      for (const statement of statements) result = await client.query(statement);
      return result?.rows ?? [];
    } finally {
      await client.end();
    }
  };

  it('take over a database of before, as often as they are made', async () => {
    await makeDatabaseRoles(roles, () => undefined);
    const owners = await as(
      roles.admin,
      `SELECT DISTINCT pg_get_userbyid(owner) AS owner FROM (
         SELECT relowner AS owner FROM pg_class WHERE relnamespace = 'public'::regnamespace
         UNION ALL SELECT datdba FROM pg_database WHERE datname = current_database()
         UNION ALL SELECT proowner FROM pg_proc WHERE pronamespace = 'public'::regnamespace AND proname ~ '^(record|count|refuse|fold)'
       ) AS things`,
    );
    expect(owners).toEqual([{ owner: roles.owner.username }]);
    expect(said).toHaveLength(3);
  });

  it('leave the application all that it does: sell, hold, cancel, process, adjust, audit', async () => {
    const config = loadConfig(
      { ...redisUrls(), LOG_LEVEL: 'error', PORT: '0', DATABASE_URL: roles.application.href },
      'api',
    );
    const api = await startApi(config);
    const worker = await startWorker({ ...config, orders: { ...config.orders, processingDelayMs: 0 } });
    try {
      const product_id = await api.createProduct({ stock: 50 });
      const { body: order } = await api.post('/orders', { product_id }, { 'Idempotency-Key': randomUUID() });
      const { body: held } = await api.post('/reservations', { items: [{ product_id }], ttl_seconds: 60 });
      expect((await api.post('/orders', { reservation_id: held.id })).status).toBe(201);
      const { body: released } = await api.post('/reservations', { items: [{ product_id }], ttl_seconds: 60 });
      expect((await api.delete(`/reservations/${released.id}`)).status).toBeLessThan(300);
      expect((await api.post(`/products/${product_id}/stock-adjustments`, { delta: 3, reason: 'found' })).status).toBe(
        201,
      );
      expect((await api.put(`/products/${product_id}`, { price: 3 })).status).toBe(200);
      await eventually(async () => expect((await api.get(`/orders/${order.id}`)).body.status).toBe('completed'));
      expect((await api.get('/orders?page_size=1')).body.total).toBe(2);
      expect((await api.delete(`/products/${product_id}`)).status).toBe(204);
      expect((await api.app.get(AuditService, { strict: false }).run()).findings).toEqual([]);
      expect((await api.get('/ops/workers')).body.items).toHaveLength(1);
    } finally {
      await worker.close();
      await api.close();
    }
  });

  it.each(['stock_movements', 'order_events'])('refuse the application to change what stands in %s', async (table) => {
    for (const statement of [
      `UPDATE ${table} SET created_at = now()`,
      `DELETE FROM ${table}`,
      `TRUNCATE ${table}`,
      `ALTER TABLE ${table} DISABLE TRIGGER ALL`,
      `DROP TRIGGER ${table}_append_only ON ${table}`,
      `ALTER TABLE ${table} OWNER TO CURRENT_USER`,
      `DROP TABLE ${table}`,
    ]) {
      await expect(as(roles.application, statement)).rejects.toThrow(DENIED);
    }
  });

  it('refuse the application what is none of its business', async () => {
    for (const statement of [
      'DELETE FROM products',
      'DELETE FROM orders',
      'UPDATE order_items SET quantity = 1',
      'TRUNCATE products CASCADE',
      'DELETE FROM migrations',
      'CREATE TABLE mine (id integer)',
      'CREATE OR REPLACE FUNCTION record_stock() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RETURN NULL; END $$',
      'SET session_replication_role = replica',
      `COPY (SELECT 1) TO PROGRAM 'cat > /dev/null'`,
      `SELECT pg_read_file('/etc/hostname')`,
      `ALTER ROLE CURRENT_USER SUPERUSER`,
      `CREATE ROLE another`,
      `SET ROLE ${roles.owner.username}`,
    ]) {
      await expect(as(roles.application, statement)).rejects.toThrow(DENIED);
    }
  });

  it('let the reader read all of it, and write nothing', async () => {
    const tables = await as(
      roles.reader,
      `SELECT relname AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace`,
    );
    expect(tables.length).toBeGreaterThan(10);
    for (const { name } of tables) {
      await as(roles.reader, `SELECT * FROM ${name} LIMIT 1`);
      for (const statement of [`DELETE FROM ${name}`, `TRUNCATE ${name}`, `INSERT INTO ${name} DEFAULT VALUES`]) {
        await expect(as(roles.reader, statement)).rejects.toThrow(DENIED);
      }
    }
  });

  it('have a line for each table', async () => {
    const tables = await as(
      roles.admin,
      `SELECT relname AS name FROM pg_class WHERE relkind IN ('r', 'v') AND relnamespace = 'public'::regnamespace ORDER BY name`,
    );
    expect(tables.map(({ name }) => name)).toEqual(Object.keys(APPLICATION_PRIVILEGES).sort());
  });

  it('let nobody but the application change a stock without its being recorded, whatever they set', async () => {
    const [{ id }] = await as(
      roles.owner,
      `INSERT INTO products (name, price, stock) VALUES ('Lamp', 1, 5) RETURNING id`,
    );
    for (const [role, stock] of [
      [roles.owner, 6],
      [roles.admin, 7],
    ] as const) {
      await as(role, `SET order_system.writes_ledger = 'on'`, `UPDATE products SET stock = ${stock} WHERE id = ${id}`);
      const [last] = await as(
        role,
        `SELECT stock_after, reason FROM stock_movements WHERE product_id = ${id} ORDER BY id DESC LIMIT 1`,
      );
      expect(last).toEqual({ stock_after: stock, reason: `changed in SQL by ${role.username}` });
    }
  });

  it('give the application its privileges on what migrations make, from the first one on', async () => {
    const name = `${roles.owner.username}_fresh`;
    await administer(`CREATE DATABASE ${name}`);
    const [admin, owner, application, reader] = [roles.admin, roles.owner, roles.application, roles.reader].map((url) =>
      Object.assign(new URL(url), { pathname: `/${name}` }),
    );
    try {
      if (!admin || !owner || !application || !reader) throw new Error('A URL is missing');
      await makeDatabaseRoles({ admin, owner, application, reader }, () => undefined);
      const env = { ...BASE_ENVIRONMENT, DATABASE_OWNER_URL: owner.href, DATABASE_URL: application.href };
      await execute(process.execPath, MIGRATE, { env });
      expect(await as(application, 'SELECT count(*)::integer AS workers FROM workers')).toEqual([{ workers: 0 }]);
      await expect(as(application, 'DELETE FROM stock_movements')).rejects.toThrow(DENIED);
      await as(application, `INSERT INTO products (name, price, stock) VALUES ('Lamp', 1, 5)`);
      expect(await as(reader, 'SELECT stock_after FROM stock_movements')).toEqual([{ stock_after: 5 }]);
      // A table that no line names can be read, and nothing else.
      await as(owner, 'CREATE TABLE unnamed (id integer)');
      await execute(process.execPath, [MIGRATE[0] ?? '', 'migration:revert', ...MIGRATE.slice(2)], { env });
      await execute(process.execPath, MIGRATE, { env });
      expect(await as(application, 'SELECT FROM unnamed')).toEqual([]);
      await expect(as(application, 'INSERT INTO unnamed VALUES (1)')).rejects.toThrow(DENIED);
    } finally {
      await administer(`DROP DATABASE ${name} WITH (FORCE)`);
    }
  }, 60_000);

  it('must be different ones, and may not do more already', async () => {
    const make = (changed: Partial<DatabaseRoles>) => makeDatabaseRoles({ ...roles, ...changed }, () => undefined);
    await expect(make({ application: roles.owner })).rejects.toThrow('must name different roles');
    await expect(make({ application: roles.admin })).rejects.toThrow('must name different roles');
    const nameless = new URL(roles.application);
    nameless.username = '';
    await expect(make({ application: nameless })).rejects.toThrow('must name its role');
    const mighty = new URL(roles.reader);
    mighty.username += '_mighty';
    await administer(`CREATE ROLE ${mighty.username} CREATEROLE`);
    await expect(make({ reader: mighty })).rejects.toThrow('may do more than it should');
    await administer(`ALTER ROLE ${mighty.username} NOCREATEROLE`);
    await administer(`GRANT pg_write_all_data TO ${mighty.username}`);
    await expect(make({ reader: mighty })).rejects.toThrow('may do more than it should');
    await administer(`DROP ROLE ${mighty.username}`);
    const elsewhere = Object.assign(new URL(roles.application), { pathname: '/postgres' });
    await expect(make({ application: elsewhere })).rejects.toThrow('must lead to one database');
  });

  it('take away what a role of before was given, and warn of a password that is the superuser’s', async () => {
    const fresh = await createTestDatabase();
    const theirs = rolesOf(fresh.url);
    const [application, reader] = [theirs.application.username, theirs.reader.username];
    try {
      // As many guides have it: one role with everything, which owns its tables.
      await administer(`CREATE ROLE ${application} LOGIN`);
      await administer(`CREATE ROLE ${reader} LOGIN`);
      await as(
        theirs.admin,
        `GRANT ALL ON SCHEMA public TO ${application}, ${reader}; GRANT ALL ON ALL TABLES IN SCHEMA public TO ${reader};
         GRANT ALL ON DATABASE ${fresh.url.split('/').at(-1)} TO ${application}; ALTER TABLE products OWNER TO ${application}`,
      );
      const lines: string[] = [];
      theirs.application.password = theirs.admin.password;
      await makeDatabaseRoles(theirs, (line) => lines.push(line));
      expect(lines.join('\n')).toContain(`WARNING: ${application} has the password of`);
      for (const [role, statement] of [
        [theirs.application, 'CREATE TABLE mine (id integer)'],
        [theirs.application, 'CREATE SCHEMA mine'],
        [theirs.application, 'ALTER TABLE products DISABLE TRIGGER ALL'],
        [theirs.reader, 'CREATE TABLE mine (id integer)'],
        [theirs.reader, 'DELETE FROM stock_movements'],
      ] as const)
        await expect(as(role, statement)).rejects.toThrow(DENIED);
      await as(theirs.application, `INSERT INTO products (name, price, stock) VALUES ('Lamp', 1, 5)`);
    } finally {
      await fresh.drop();
      for (const { username } of [theirs.reader, theirs.owner, theirs.application])
        await administer(`DROP ROLE ${username}`);
    }
  });
});

/** Of the database of a URL, by names that no other run of the tests has. */
function rolesOf(adminUrl: string): DatabaseRoles & { reader: URL } {
  const run = randomUUID().slice(0, 8);
  const urlOf = (role: string) =>
    Object.assign(new URL(adminUrl), { username: `t${run}_${role}`, password: `it's ${role}` });
  return {
    admin: new URL(adminUrl),
    owner: urlOf('owner'),
    application: urlOf('application'),
    reader: urlOf('reader'),
  };
}

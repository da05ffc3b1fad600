import { execFile } from 'node:child_process';
import { chmod, copyFile, rm } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import pg from 'pg';
import { startRedis, type RedisServer } from '../../tools/redis.ts';
import { freePort } from '../../tools/processes.ts';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { createClient } from '../support/api.js';
import { type Certificate, makeCertificate } from '../support/certificate.js';
import { eventually } from '../support/eventually.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { type RoleProcess, startRole } from '../support/role-process.js';

const execute = promisify(execFile);

describe('services that speak TLS', () => {
  let directory: string;
  let files: Certificate;
  let postgres: OwnPostgres;
  let redis: RedisServer;
  let urls: { DATABASE_URL: string; REDIS_URL: string; QUEUE_REDIS_URL: string };
  const roles: RoleProcess[] = [];

  beforeAll(async () => {
    directory = await createTemporaryFolder('tls');
    files = await makeCertificate(directory);
    postgres = await startOwnPostgres();
    // PostgreSQL takes a key only of its own user, and Redis runs as another one.
    const own = path.join(postgres.data, 'server.key');
    await copyFile(files.key, own);
    await execute('chown', ['--reference', postgres.data, own]);
    await chmod(own, 0o600);
    await chmod(files.key, 0o644);
    const sql = new pg.Client({ connectionString: postgres.url });
    await sql.connect();
    for (const [name, value] of Object.entries({ ssl_cert_file: files.certificate, ssl_key_file: own, ssl: 'on' })) {
      await sql.query(`ALTER SYSTEM SET ${name} = '${value}'`);
    }
    await sql.query('SELECT pg_reload_conf()');
    await sql.end();
    const port = await freePort();
    const tls = ['--tls-port', String(port), '--tls-cert-file', files.certificate, '--tls-key-file', files.key];
    const flags = [...tls, '--tls-ca-cert-file', files.authority, '--tls-auth-clients', 'no'];
    redis = await startRedis({ directory: path.join(directory, 'redis'), flags });
    const redisUrl = (database: number) =>
      Object.assign(new URL(redis.url.replace('redis:', 'rediss:')), { port: String(port), pathname: `/${database}` })
        .href;
    urls = {
      DATABASE_URL: `${postgres.url}?sslmode=verify-full`,
      REDIS_URL: redisUrl(0),
      QUEUE_REDIS_URL: redisUrl(1),
    };
  }, 60_000);

  afterAll(async () => {
    await Promise.all(roles.map((role) => role.end('SIGKILL')));
    await redis.stop();
    await postgres.stop();
    await rm(directory, { recursive: true, force: true });
  }, 30_000);

  const start = (flags: string[], variables: Record<string, string>) => {
    const role = startRole(flags, variables);
    roles.push(role);
    return role;
  };

  it('are talked to in secret by every role, as docs/operations.md says', async () => {
    const variables = { ...urls, NODE_EXTRA_CA_CERTS: files.authority, ORDER_PROCESSING_DELAY_MS: '10' };
    const api = createClient(await start([], variables).url());
    start(['--worker'], variables);
    const dashboard = start(['--dashboard'], { ...variables, DASHBOARD_PORT: '0' });
    expect((await api.get('/health/ready')).body).toMatchObject({
      status: 'ready',
      checks: { database: true, redis: true },
    });
    const product = await api.createProduct({ stock: 3 });
    const { body: order } = await api.post('/orders', { product_id: product });
    await eventually(async () => expect((await api.get(`/orders/${order.id}`)).body.status).toBe('completed'), 20_000);
    expect((await api.get(`/products/${product}/cached`)).status).toBe(200);
    expect((await fetch(`${await dashboard.url()}/health`)).status).toBe(200);

    const sql = new pg.Client({ connectionString: postgres.url });
    await sql.connect();
    const { rows } = await sql.query<{ ssl: boolean }>(
      `SELECT DISTINCT ssl FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE application_name LIKE 'order-system%'`,
    );
    await sql.end();
    expect(rows).toEqual([{ ssl: true }]);
  }, 60_000);

  it('are told nothing when nobody vouches for them', async () => {
    const plain = { REDIS_URL: redis.url, QUEUE_REDIS_URL: redis.url.replace(/0$/, '1') };
    const role = start([], { ...urls, ...plain });
    await eventually(() => expect(role.log()).toMatch(/unable to verify|self-signed certificate/), 30_000);
    expect(role.log()).not.toContain(new URL(postgres.url).password);
    await role.end('SIGKILL');

    const api = createClient(await start([], { ...urls, DATABASE_URL: postgres.url }).url());
    expect((await api.get('/health/ready')).body).toMatchObject({
      status: 'degraded',
      checks: { database: true, redis: false },
    });
  }, 90_000);
});

import { execFile } from 'node:child_process';
import { createServer, request } from 'node:http';
import { promisify } from 'node:util';
import { freePort } from '../../tools/processes.ts';
import { createClient } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { metricsUrlOf, scrape, type Series } from '../support/metrics.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';
import { type RoleProcess, startRole } from '../support/role-process.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);

describe('the metrics', () => {
  let environment: Environment;
  let redis: OwnRedis;
  const roles: RoleProcess[] = [];

  beforeAll(async () => {
    environment = await createEnvironment();
    redis = await startOwnRedis();
  }, 60_000);

  afterEach(async () => {
    await Promise.all(roles.splice(0).map((role) => role.end('SIGKILL')));
  });

  afterAll(async () => {
    await redis.stop();
    await environment.close();
  });

  const start = (flags: string[], variables: Record<string, string> = {}) => {
    const ports = { METRICS_PORT: '0', DASHBOARD_PORT: '0' };
    const role = startRole(flags, {
      ...environment.variables,
      ...redis.urls,
      ORDER_PROCESSING_DELAY_MS: '10',
      ...ports,
      ...variables,
    });
    roles.push(role);
    return role;
  };
  const statusUnder = (host: string, url: string) =>
    new Promise<number | undefined>((resolve, reject) => {
      request(url, { headers: { host } }, (answer) => resolve(answer.resume().statusCode))
        .on('error', reject)
        .end();
    });
  const namesIn = (series: Series) => new Set([...series.keys()].map((each) => each.replace(/\{.*$/, '')));

  it('tell what became of purchases, of orders and of the shop, by the names of the contract', async () => {
    const role = start([]);
    const api = createClient(await role.url());
    const url = await metricsUrlOf(role);
    const product = await api.createProduct({ stock: 2 });
    const key = { 'Idempotency-Key': 'measured' };
    const before = await scrape(url);
    expect(before.get('orders_open{status="pending"}')).toBe(0);
    expect(before.get('orders_oldest_open_age_seconds')).toBe(0);
    expect(namesIn(before)).not.toContain('audit_findings');

    await api.post('/orders', { product_id: product }, key);
    await api.post('/orders', { product_id: product }, key);
    await api.post('/orders', { product_id: product, quantity: 5 });
    await api.post('/orders', { product_id: 999_999 });
    await api.post('/orders', { product_id: 'one' });
    await api.post('/orders', { product_id: product });
    await api.get(`/products/${product}/cached`);
    await api.get(`/products/${product}/cached`);
    await execute(process.execPath, ['dist/src/main.js', '--audit'], {
      env: { ...BASE_ENVIRONMENT, ...environment.variables },
    });
    const after = await scrape(url);
    const outcomes = ['sold', 'short', 'not_found', 'invalid', 'overloaded', 'unavailable', 'replayed'];
    expect(outcomes.map((outcome) => after.get(`purchases_total{outcome="${outcome}"}`))).toEqual([
      2, 1, 1, 1, 0, 0, 1,
    ]);
    expect(after.get('stock_outs_total')).toBe(1);
    expect(after.get('purchase_batch_size_count')).toBeGreaterThanOrEqual(4);
    expect(after.get('purchases_waiting')).toBe(0);
    expect(after.get('orders_open{status="pending"}')).toBe(2);
    expect(after.get('orders_oldest_open_age_seconds')).toBeGreaterThan(0);
    expect(after.get('cache_requests_total{outcome="hit"}')).toBe(1);
    expect(after.get('audit_findings')).toBe(0);
    expect(Date.now() / 1_000 - (after.get('audit_last_success_timestamp_seconds') ?? 0)).toBeLessThan(60);
    expect(after.get('workers_alive')).toBe(0);
    expect(after.get('dead_letters')).toBe(0);
    const waiting = ['orders', 'hand-over'].map((queue) => after.get(`jobs{queue="${queue}",state="waiting"}`) ?? NaN);
    expect((waiting[0] ?? 0) + (waiting[1] ?? 0)).toBeGreaterThan(0);
    expect(
      after.get('db_client_connection_count{db_client_connection_pool_name="sales",state="idle"}'),
    ).toBeGreaterThan(0);
    const requests =
      'http_server_request_duration_seconds_count{http_request_method="POST",http_route="/api/v1/orders",http_response_status_code';
    expect(['201', '400', '404', '422'].map((status) => after.get(`${requests}="${status}"}`))).toEqual([3, 1, 1, 1]);
    expect(after.get('build_info{version="1.0.0",role="api"}')).toBe(1);
    for (const name of [
      'purchase_lock_wait_seconds_count',
      'purchase_batch_wait_seconds_count',
      'nodejs_eventloop_lag_seconds',
      'process_cpu_seconds_total',
    ])
      expect(namesIn(after)).toContain(name);

    const worker = start(['--worker']);
    const workerUrl = await metricsUrlOf(worker);
    await eventually(async () => {
      const series = await scrape(workerUrl);
      expect(series.get('orders_ended_total{status="completed"}')).toBe(2);
      expect(series.get('order_completion_seconds_count')).toBe(2);
      expect(series.get('fulfilment_call_duration_seconds_count{outcome="done"}')).toBe(2);
      expect(series.get('orders_open{status="pending"}')).toBe(0);
      expect(series.get('workers_alive')).toBe(1);
    }, 20_000);
  }, 90_000);

  it('are as many however many clients ask for whatever, and name nobody', async () => {
    const role = start([]);
    const api = createClient(await role.url());
    const url = await metricsUrlOf(role);
    const ask = async (count: number) => {
      for (let n = 0; n < count; n++) {
        const id = Math.floor(Math.random() * 1e9);
        await Promise.all([
          api.get(`/products/${id}`),
          api.get(`/nothing/${id}?${id}=${id}`),
          api.send(`/orders/${id}`, { method: 'PROPFIND' }),
          api.post(`/orders/${id}/cancel`, undefined, { 'Idempotency-Key': `key ${id}` }),
        ]);
      }
    };
    await ask(3);
    // Kinds of garbage collection are told when they have happened: three at most.
    const sizeOf = (all: Series) => [...all.keys()].filter((each) => !each.startsWith('nodejs_gc_')).length;
    const size = sizeOf(await scrape(url));
    await ask(50);
    const series = await scrape(url);
    expect(sizeOf(series)).toBe(size);
    expect(size).toBeLessThan(700);
    const labels = new Set(
      [...series.keys()].flatMap((each) => [...each.matchAll(/([a-z_]+)="/g)].map(([, label]) => label)),
    );
    for (const label of labels) expect(label).not.toMatch(/(^|_)(id|key|user|customer|path|url|address)$/);
    for (const each of series.keys()) expect(each).not.toMatch(/\d{6,}/);
  }, 60_000);

  it('come in time while Redis is away, without what only Redis knows', async () => {
    const role = start([]);
    await role.url();
    const url = await metricsUrlOf(role);
    expect(namesIn(await scrape(url))).toContain('jobs');
    redis.freeze();
    try {
      const begin = performance.now();
      const series = await scrape(url);
      expect(performance.now() - begin).toBeLessThan(5_000);
      expect(namesIn(series)).not.toContain('jobs');
      expect(series.get('orders_oldest_open_age_seconds')).toBeDefined();
    } finally {
      redis.thaw();
    }
  }, 60_000);

  it('tell of nothing that was not read yet while a process comes up', async () => {
    const port = await freePort();
    const role = start([], { METRICS_PORT: String(port) });
    let first: Series = new Map();
    await eventually(async () => {
      first = await scrape(`http://127.0.0.1:${port}/metrics`);
    }, 60_000);
    expect(role.log()).not.toContain('is up');
    expect(namesIn(first)).toContain('process_start_time_seconds');
    const read = [
      'build_info',
      'audit_last_success_timestamp_seconds',
      'orders_oldest_open_age_seconds',
      'dead_letters',
    ];
    for (const name of [...read, 'workers_alive', 'purchases_waiting']) expect(namesIn(first)).not.toContain(name);
    expect(first.get('event_streams')).toBe(0);
  }, 90_000);

  it('tell of a process that waits for PostgreSQL for longer than a start takes', async () => {
    const port = await freePort();
    const away = `postgresql://orders@127.0.0.1:${await freePort()}/orders`;
    const role = start(['--worker'], { METRICS_PORT: String(port), DATABASE_URL: away });
    await eventually(async () => {
      const names = namesIn(await scrape(`http://127.0.0.1:${port}/metrics`));
      expect(names).toContain('build_info');
      expect(names).not.toContain('orders_oldest_open_age_seconds');
    }, 60_000);
    expect(role.log()).not.toContain('is up');
  }, 90_000);

  it('stand beside the health of a role that has no other server', async () => {
    const worker = new URL(await metricsUrlOf(start(['--worker'])));
    const dashboard = new URL(await metricsUrlOf(start(['--dashboard'])));
    for (const { origin } of [worker, dashboard]) {
      expect(await (await fetch(`${origin}/health`)).json()).toEqual({ status: 'healthy' });
      const ready = await fetch(`${origin}/health/ready`);
      expect([ready.status, await ready.json()]).toEqual([200, expect.objectContaining({ status: 'ready' })]);
      expect((await fetch(`${origin}/other`)).status).toBe(404);
      expect((await fetch(`${origin}/metrics`, { method: 'POST' })).status).toBe(405);
      for (const path of ['/metrics', '/health']) {
        expect(await statusUnder('evil.example', origin + path)).toBe(421);
        expect(await statusUnder('localhost:1', origin + path)).toBe(200);
      }
    }
  }, 60_000);

  it('need a port that is free when one was asked for, and are not there when they are off', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await new Promise((resolve) => taken.once('listening', resolve));
    const address = taken.address();
    const port = typeof address === 'object' ? String(address?.port) : '';
    const refused = start([], { METRICS_PORT: port });
    await eventually(
      () => expect(refused.log()).toContain(`The metrics cannot be served on port ${port} (METRICS_PORT)`),
      30_000,
    );
    taken.close();

    const off = start([], { METRICS_PORT: 'off' });
    await off.url();
    expect(off.log()).not.toContain('metrics');
    // The usual port: the second process does without.
    const [first, second] = [start([], { METRICS_PORT: '' }), start([], { METRICS_PORT: '' })];
    await Promise.all([first.url(), second.url()]);
    expect(
      `${first.log()}${second.log()}`.match(/9464.*There are no metrics, because their port is taken/g)?.length,
    ).toBeGreaterThanOrEqual(1);
  }, 90_000);

  it('are all told by npm run metrics', async () => {
    const { stdout } = await execute(process.execPath, ['tools/metrics.ts']);
    const role = start([]);
    await role.url();
    const names = [...namesIn(await scrape(await metricsUrlOf(role)))].filter(
      (name) => !/^(process|nodejs)_/.test(name),
    );
    expect(names.length).toBeGreaterThan(10);
    for (const name of names) expect(stdout).toContain(name.replace(/_(bucket|sum|count)$/, ''));
    expect(stdout).toMatch(/^purchases_total {2}\(counter, purchases; 7 series at most\)$/m);
  }, 60_000);
});

import { randomUUID } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Redis } from 'ioredis';
import { type Client, createClient, startApi as startApiHere } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';
import { type RoleProcess, startRole } from '../support/role-process.js';
import { startWorker } from '../support/worker.js';

type Line = Readonly<Record<string, unknown>>;

const linesOf = (role: RoleProcess): Line[] =>
  role
    .log()
    .split('\n')
    .flatMap((text): Line[] => (text.startsWith('{') && text.endsWith('}') ? [JSON.parse(text)] : []));

describe('the logs', () => {
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

  const start = (flags: string[], variables: Record<string, string> = {}, logLevel: 'info' | 'debug' = 'info') => {
    const all = { ...environment.variables, ...redis.urls, ORDER_PROCESSING_DELAY_MS: '10', ...variables };
    const role = startRole(flags, all, { logLevel });
    roles.push(role);
    return role;
  };
  const startApi = async (variables: Record<string, string> = {}): Promise<{ role: RoleProcess; api: Client }> => {
    const role = start([], variables);
    return { role, api: createClient(await role.url()) };
  };
  const requestIdsOf = async (orderId: number) => {
    const { rows } = await environment.sql.query<{ status: string; request_id: string | null }>(
      'SELECT status, request_id FROM order_events WHERE order_id = $1 ORDER BY id',
      [orderId],
    );
    return rows.map(({ status, request_id: id }) => `${status} ${id}`);
  };

  it('are JSON lines with a level, a time, the role and fields beside a constant message', async () => {
    const { role } = await startApi();
    expect(linesOf(role)).toContainEqual({
      level: 'info',
      time: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/),
      role: 'api',
      pid: role.pid,
      context: 'Main',
      url: await role.url(),
      message: 'The api is up',
    });
  });

  it.each(['the job', 'the sweep, when the job is lost'])(
    'carry the id of the request from the purchase to the end of its order, found by %s',
    async (finder) => {
      const { api, role } = await startApi({ ACCESS_LOG: 'all' });
      const product = await api.createProduct();
      const requestId = randomUUID();
      const bought = await api.post('/orders', { product_id: product }, { 'X-Request-Id': requestId });
      const { id } = bought.body;
      if (finder !== 'the job') {
        const queue = new Redis(redis.urls.QUEUE_REDIS_URL);
        await eventually(async () => expect(await queue.dbsize()).toBeGreaterThan(0));
        await queue.flushdb();
        queue.disconnect();
      }
      const worker = start(['--worker'], { SWEEP_INTERVAL_MS: '100', SWEEP_AFTER_MS: '0' });

      await eventually(() =>
        expect(linesOf(worker)).toContainEqual(
          expect.objectContaining({
            role: 'worker',
            request_id: requestId,
            order_id: id,
            job_id: `order-${id}`,
            duration_ms: expect.any(Number),
            message: `Order #${id} Processed.`,
          }),
        ),
      );
      expect(linesOf(role)).toContainEqual(
        expect.objectContaining({
          context: 'Access',
          request_id: requestId,
          order_id: id,
          method: 'POST',
          path: '/api/v1/orders',
          status: 201,
        }),
      );
      expect((await requestIdsOf(id))[0]).toBe(`pending ${requestId}`);
    },
    30_000,
  );

  it('are kept for the search for secrets, those of a process of its own and those of an API in the process of a test', async () => {
    const [ofRole, ofTest] = [randomUUID(), randomUUID()];
    const { api } = await startApi();
    await api.get('/orders/0', { 'X-Request-Id': ofRole });
    const own = await startApiHere(environment.config);
    await own.get('/orders/0', { 'X-Request-Id': ofTest });
    await own.close();
    const folder = process.env.TEST_LOGS ?? '';
    await eventually(() => {
      const files = readdirSync(folder).filter((name) => name.endsWith('.log'));
      const kept = files.map((name) => readFileSync(path.join(folder, name), 'utf8')).join('');
      for (const id of [ofRole, ofTest]) expect(kept).toContain(id);
    });
  });

  it.each(['pessimistic', 'optimistic'])('and its events name the requests of an order (%s)', async (ORDER_LOCKING) => {
    const { api } = await startApi({ ORDER_LOCKING });
    const product = await api.createProduct();
    const named = (id: string, key?: string) => ({
      'X-Request-Id': id,
      ...(key === undefined ? {} : { 'Idempotency-Key': key }),
    });
    const plain = await api.post('/orders', { product_id: product }, named('buys'));
    const keyed = await api.post('/orders', { product_id: product }, named('buys-once', randomUUID()));
    const held = await api.post('/reservations', { items: [{ product_id: product }], ttl_seconds: 60 }, named('holds'));
    const confirmed = await api.post('/orders', { reservation_id: held.body.id }, named('confirms'));
    await api.post(`/orders/${plain.body.id}/cancel`, {}, named('cancels'));

    expect(await requestIdsOf(plain.body.id)).toEqual(['pending buys', 'cancelled cancels']);
    expect(await requestIdsOf(keyed.body.id)).toEqual(['pending buys-once']);
    expect(await requestIdsOf(confirmed.body.id)).toEqual(['pending confirms']);
  });

  it('give each of the requests of one batch its own id', async () => {
    const { api } = await startApi();
    const product = await api.createProduct({ stock: 100 });
    const ids = Array.from({ length: 60 }, (_each, index) => `batched-${index}`);
    const orders = await Promise.all(
      ids.map((id) => api.post('/orders', { product_id: product }, { 'X-Request-Id': id })),
    );
    const events = await Promise.all(orders.map(({ body }) => requestIdsOf(body.id)));
    expect(events).toEqual(ids.map((id) => [`pending ${id}`]));
  });

  it('and the gateway is given the id of the request', async () => {
    const { api } = await startApi(environment.variables);
    const product = await api.createProduct();
    const given: unknown[] = [];
    const worker = await startWorker(environment.config, async (orderId, { requestId }) => {
      given.push({ orderId, requestId });
    });
    const { body } = await api.post('/orders', { product_id: product }, { 'X-Request-Id': 'fulfil-me' });
    await eventually(() => expect(given).toContainEqual({ orderId: body.id, requestId: 'fulfil-me' }));
    await worker.close();
  });

  it('tell of refused requests, as many as a person reads, and count the rest', async () => {
    const { role, api } = await startApi();
    await api.get('/health');
    await Promise.all(Array.from({ length: 70 }, () => api.get('/orders/999999?note=x')));
    const access = () => linesOf(role).filter(({ context }) => context === 'Access');
    await eventually(() => {
      const told = access().filter(({ message }) => message === 'The request was refused');
      const counted = access().filter(({ message }) => message === 'More requests were refused');
      expect(told.length + counted.reduce((sum, { count }) => sum + Number(count), 0)).toBe(70);
      expect(told.length).toBeLessThanOrEqual(40);
      expect(told[0]).toMatchObject({
        level: 'info',
        method: 'GET',
        path: '/api/v1/orders/999999',
        status: 404,
        code: 'ORDER_NOT_FOUND',
        order_id: 999_999,
        request_id: expect.any(String),
        duration_ms: expect.any(Number),
      });
    });
    expect(access().some(({ path }) => path === '/api/v1/health')).toBe(false);
  });

  it('tell of requests that reach no route', async () => {
    const { role, api } = await startApi();
    const origin = api.url.replace('/api/v1', '');
    await api.post('/products', {}, { 'Sec-Fetch-Site': 'cross-site', 'X-Request-Id': 'foreign' });
    await fetch(`${origin}/api/v1/products/%FF`, { headers: { 'X-Request-Id': 'unroutable' } });
    await eventually(() => {
      const told = linesOf(role).filter(({ request_id: id }) => ['foreign', 'unroutable'].includes(String(id)));
      expect(told.map(({ code, status }) => [code, status])).toEqual([
        ['FORBIDDEN_ORIGIN', 403],
        ['BAD_REQUEST', 400],
      ]);
    });
  });

  it('tell of no request with ACCESS_LOG=off, and of each with ACCESS_LOG=all', async () => {
    const { role: silent, api: unheard } = await startApi({ ACCESS_LOG: 'off' });
    await unheard.get('/orders/999999');
    const { role, api } = await startApi({ ACCESS_LOG: 'all' });
    await api.get('/products?search=tea');
    await Promise.all(Array.from({ length: 60 }, () => api.get('/orders/999999')));
    await eventually(() => {
      const access = linesOf(role).filter(({ context }) => context === 'Access');
      expect(access).toContainEqual(expect.objectContaining({ path: '/api/v1/products', status: 200 }));
      expect(access.filter(({ status }) => status === 404)).toHaveLength(60);
    });
    expect(linesOf(silent).filter(({ context }) => context === 'Access')).toEqual([]);
  });

  it('hold no secret and nothing of a body, a query or a header, whatever fails', async () => {
    const secret = (name: string) => `planted-${name}-${randomUUID()}`;
    const planted = Object.fromEntries(
      ['database', 'redis', 'dashboard', 'name', 'query', 'key', 'authorization', 'cookie', 'reason', 'field'].map(
        (name) => [name, secret(name)],
      ),
    );
    const wrong = (url: string, password = '') => Object.assign(new URL(url), { password }).href;
    const debug = { ACCESS_LOG: 'all', DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: planted.dashboard ?? '' };
    const role = start([], debug, 'debug');
    const api = createClient(await role.url());
    const headers = {
      Authorization: `Bearer ${planted.authorization}`,
      Cookie: `session=${planted.cookie}`,
      'Idempotency-Key': planted.key ?? '',
    };
    const product = await api.post('/products', { name: planted.name, price: 5, stock: 1 }, headers);
    await api.get(`/products?search=${planted.query}`, headers);
    await api.post('/orders', { product_id: product.body.id, [planted.field ?? '']: planted.field }, headers);
    await api.post('/orders', { product_id: planted.field }, headers);
    const order = await api.post('/orders', { product_id: product.body.id });
    await api.post(`/orders/${order.body.id}/cancel`, { reason: planted.reason }, headers);
    await api.send('/orders', {
      method: 'POST',
      headers: { ...headers, 'Content-Type': 'application/json' },
      body: `{"${planted.field}`,
    });
    // The worker and the dashboard cannot reach what they need, and say so.
    const lost = {
      ...debug,
      DATABASE_URL: wrong(environment.variables.DATABASE_URL ?? '', planted.database),
      REDIS_URL: wrong(redis.urls.REDIS_URL, planted.redis),
      QUEUE_REDIS_URL: wrong(redis.urls.QUEUE_REDIS_URL, planted.redis),
      DASHBOARD_PORT: '0',
    };
    const broken = [
      start(['--worker'], lost, 'debug'),
      start(['--dashboard'], lost, 'debug'),
      start([], lost, 'debug'),
    ];
    await eventually(() => {
      for (const each of broken)
        expect(each.log()).toMatch(/WRONGPASS|password authentication failed|is away|is not there/);
    }, 20_000);

    const logs = [role, ...broken].map((each) => each.log()).join('\n');
    expect(logs).toContain('"path":"/api/v1/orders"');
    for (const value of Object.values(planted)) expect(logs).not.toContain(value);
  }, 60_000);
});

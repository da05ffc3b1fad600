import { randomUUID } from 'node:crypto';
import { loadConfig } from '../../src/config/config.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { useLimits } from '../support/limits.js';
import { type Proxy, startProxy } from '../support/proxy.js';

/** What a client may be kept waiting. */
const MOST_MS = 5_000;

/** Each kind of request, by the number of statements that it waits for one after the other. */
describe('an answer, while PostgreSQL is slow or frozen', () => {
  useLimits();
  let environment: Environment;
  let proxy: Proxy;
  let api: Api;
  let product: number;
  let open: number[];
  let held: number[];

  beforeEach(async () => {
    environment = await createEnvironment();
    const url = new URL(environment.variables.DATABASE_URL ?? '');
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    // Few connections, so that requests wait for one as well.
    const variables = {
      ...environment.variables,
      DATABASE_URL: url.href,
      DATABASE_POOL_SIZE: '3',
      DATABASE_READ_POOL_SIZE: '3',
    };
    api = await startApi(loadConfig(variables, 'api'));
    product = await api.createProduct({ stock: 1_000 });
    await api.post('/orders', { product_id: product }, { 'Idempotency-Key': 'bought before' });
    await api.post('/reservations', { items: [{ product_id: product }] }, { 'Idempotency-Key': 'held before' });
    open = [];
    for (let n = 0; n < 4; n++) open.push((await api.post('/orders', { product_id: product })).body.id);
    held = [];
    for (let n = 0; n < 4; n++) {
      held.push((await api.post('/reservations', { items: [{ product_id: product }], ttl_seconds: 600 })).body.id);
    }
  });

  afterEach(async () => {
    proxy.thaw();
    proxy.delay(0);
    await api.close();
    await proxy.close();
    await environment.close();
  });

  const key = (value: string = randomUUID()) => ({ 'Idempotency-Key': value });
  const requests = (): Record<string, () => Promise<Answer>> => ({
    'a purchase': () => api.post('/orders', { product_id: product }),
    'a purchase with a key': () => api.post('/orders', { product_id: product }, key()),
    'a purchase that is replayed': () => api.post('/orders', { product_id: product }, key('bought before')),
    'a purchase that is refused': () => api.post('/orders', { product_id: product, quantity: 1_000_000 }, key()),
    'a confirmed reservation': () => api.post('/orders', { reservation_id: held[0] }),
    'a confirmed reservation with a key': () => api.post('/orders', { reservation_id: held[1] }, key()),
    'a reservation that is replayed': () =>
      api.post('/reservations', { items: [{ product_id: product }] }, key('held before')),
    'a reservation': () => api.post('/reservations', { items: [{ product_id: product }] }),
    'a released reservation': () => api.delete(`/reservations/${held[2]}`),
    'a cancelled order': () => api.post(`/orders/${open[0]}/cancel`, { reason: 'slow' }),
    'a cancelled order with a key': () => api.post(`/orders/${open[1]}/cancel`, { reason: 'slow' }, key()),
    'an adjustment': () => api.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'slow' }, key()),
    'a product': () => api.post('/products', { name: 'Slow', price: 1, stock: 1 }, key()),
    'a changed product': () => api.put(`/products/${product}`, { price: 7 }),
    'a product that is read': () => api.get(`/products/${product}`),
    'a search': () => api.get('/products?search=key&page=2'),
    'a list': () => api.get('/orders?page=2&page_size=2'),
    'an order': () => api.get(`/orders/${open[2]}`),
    events: () => api.get(`/orders/${open[2]}/events`),
    movements: () => api.get(`/products/${product}/stock-movements`),
  });

  /** What each request is answered, and after how long. A connection that is closed without an answer is an answer, too. */
  const timed = async () =>
    Promise.all(
      Object.entries(requests()).map(async ([name, send]) => {
        const begin = performance.now();
        const status = await send().then(
          (answer) => answer.status,
          () => 'closed' as const,
        );
        return { name, status, waitedMs: performance.now() - begin };
      }),
    );

  it.each([100, 250, 400, 600, 900])(
    'comes in time when each message takes %i ms, both ways',
    async (milliseconds) => {
      proxy.delay(milliseconds);
      const answers = await timed();
      expect(answers.filter(({ waitedMs }) => waitedMs >= MOST_MS)).toEqual([]);
      for (const { status } of answers) expect([200, 201, 204, 400, 503, 'closed']).toContain(status);
    },
    30_000,
  );

  it.each([0, 700, 1_500])(
    'comes in time when PostgreSQL freezes after %i ms of being slow',
    async (milliseconds) => {
      proxy.delay(300);
      const answering = timed();
      setTimeout(proxy.freeze, milliseconds);
      const answers = await answering;
      expect(answers.filter(({ waitedMs }) => waitedMs >= MOST_MS)).toEqual([]);
      for (const { status } of answers) expect([200, 201, 204, 400, 503, 'closed']).toContain(status);
    },
    30_000,
  );

  it('that was a 503 has changed nothing, and one that was not is true', async () => {
    const before = (await api.get(`/products/${product}`)).body.stock;
    proxy.delay(450);
    const buying = Array.from({ length: 12 }, async () =>
      api.post('/orders', { product_id: product }).catch(() => undefined),
    );
    const statuses = (await Promise.all(buying)).map((answer) => answer?.status);
    proxy.delay(0);
    const sold = statuses.filter((status) => status === 201).length;
    const unknown = statuses.filter((status) => status === undefined).length;
    const { rows } = await environment.sql.query<{ stock: number }>('SELECT stock FROM products WHERE id = $1', [
      product,
    ]);
    const taken = before - (rows[0]?.stock ?? NaN);
    expect(taken).toBeGreaterThanOrEqual(sold);
    expect(taken).toBeLessThanOrEqual(sold + unknown);
  }, 30_000);
});

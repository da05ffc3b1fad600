import { loadConfig } from '../../src/config/config.js';
import { type Api, startApi } from '../support/api.js';
import { REAL, useLimits } from '../support/limits.js';
import { type OwnPostgres, startOwnPostgres } from '../support/postgres-server.js';
import { type Proxy, startProxy } from '../support/proxy.js';
import { startRole } from '../support/role-process.js';
import { redisUrls } from '../support/services.js';
import { eventually } from '../support/eventually.js';

/** A PostgreSQL of the test's own, to be frozen and to be reached through a proxy that loses answers. */
describe('the API while PostgreSQL is lost', () => {
  const { lockMs, statementMs, transactionMs, answerMarginMs, connectMs } = REAL;
  useLimits({ lockMs, statementMs, transactionMs, answerMarginMs, connectMs });
  let postgres: OwnPostgres;
  let proxy: Proxy;
  let api: Api;
  let product: number;
  let variables: Record<string, string>;

  beforeAll(async () => {
    postgres = await startOwnPostgres();
    const url = new URL(postgres.url);
    proxy = await startProxy(Number(url.port));
    url.port = String(proxy.port);
    variables = { ...redisUrls(), LOG_LEVEL: 'error', DATABASE_URL: url.href };
    api = await startApi(loadConfig(variables, 'api'));
    product = await api.createProduct({ stock: 1_000 });
  }, 60_000);

  afterAll(async () => {
    postgres.thaw();
    await api.close();
    await proxy.close();
    await postgres.stop();
  });

  const stock = async () => (await api.get(`/products/${product}`)).body.stock;
  const totalOrders = async () => (await api.get('/orders')).body.total;

  it('answers a purchase whose commit was answered to nobody by what PostgreSQL says of it', async () => {
    const before = [await stock(), await totalOrders()];
    void proxy.muteAfter('COMMIT');
    const { status, body } = await api.post('/orders', { product_id: product });
    expect(status).toBe(201);
    expect((await api.get(`/orders/${body.id}`)).status).toBe(200);
    expect([await stock(), await totalOrders()]).toEqual([before[0] - 1, before[1] + 1]);
  });

  it('answers in another process what one that was killed has committed, to who sends it again with the key', async () => {
    const killed = startRole([], variables);
    const url = `${await killed.url()}/api/v1`;
    await eventually(async () => expect((await fetch(`${url}/health/ready`)).status).toBe(200));
    const before = [await stock(), await totalOrders()];
    const key = { 'Idempotency-Key': 'killed after the commit' };
    const committing = proxy.muteAfter('sell-with-keys', 'COMMIT');
    const lost = fetch(`${url}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...key },
      body: JSON.stringify({ product_id: product }),
    });
    lost.catch(() => undefined);
    await committing;
    expect(await killed.end('SIGKILL')).toBe('SIGKILL');
    await expect(lost).rejects.toThrow('fetch failed');

    const again = await api.post('/orders', { product_id: product }, key);
    expect([again.status, again.headers.get('Idempotent-Replayed')]).toEqual([201, 'true']);
    expect([await stock(), await totalOrders()]).toEqual([before[0] - 1, before[1] + 1]);
    expect((await api.get(`/orders/${again.body.id}`)).status).toBe(200);
  }, 60_000);

  it('answers a created, a changed and a removed product alike, and keeps none of them cached', async () => {
    void proxy.muteAfter('COMMIT');
    const created = await api.post('/products', { name: 'Muted', price: 1, stock: 1 });
    expect(created.status).toBe(201);
    const path = `/products/${created.body.id}`;
    expect((await api.get(`${path}/cached`)).body.stock).toBe(1);

    void proxy.muteAfter('COMMIT');
    expect(await api.put(path, { stock: 2 })).toMatchObject({ status: 200, body: { stock: 2 } });
    expect((await api.get(`${path}/cached`)).body.stock).toBe(2);

    void proxy.muteAfter('COMMIT');
    expect((await api.delete(path)).status).toBe(204);
    expect((await api.get(`${path}/cached`)).status).toBe(404);
  });

  it('answers a refusal whose rollback was answered to nobody: nothing was written', async () => {
    void proxy.muteAfter('ROLLBACK');
    expect((await api.post('/orders', { product_id: 9999 })).status).toBe(404);
  });

  it('answers 503 when an answer is lost before the commit, and changes nothing', async () => {
    const before = [await stock(), await totalOrders()];
    void proxy.muteAfter('UPDATE products');
    const { status, headers, body } = await api.post('/orders', { product_id: product });
    expect([status, headers.get('Retry-After'), body.code]).toEqual([503, '1', 'DATABASE_UNAVAILABLE']);
    await eventually(async () => expect([await stock(), await totalOrders()]).toEqual(before));
  });

  it('answers 503 while PostgreSQL is still frozen, and serves again after, without a restart', async () => {
    await postgres.freeze();
    const answers = await Promise.all([
      api.post('/orders', { product_id: product }),
      api.get(`/products/${product}`),
      api.get('/orders'),
      api.put(`/products/${product}`, { price: 1 }),
    ]);
    expect(answers.map(({ status, body }) => [status, body.code])).toEqual(
      Array.from({ length: 4 }, () => [503, 'DATABASE_UNAVAILABLE']),
    );
    expect((await api.get('/health')).status).toBe(200);
    expect(await api.get('/health/ready')).toMatchObject({ status: 503, body: { checks: { database: false } } });

    postgres.thaw();
    await eventually(async () => {
      expect((await api.get('/health/ready')).status).toBe(200);
      expect((await api.post('/orders', { product_id: product })).status).toBe(201);
    });
    // No connection is lost: what the pool has is at rest, but for the one that is asked.
    await eventually(async () => {
      const { total, idle, waiting } = (await api.get('/health/ready')).body.details.connections;
      expect([total - idle <= 1, waiting]).toEqual([true, 0]);
    });
  }, 60_000);

  it('closes the connection without an answer when it cannot learn what became of a commit', async () => {
    const committing = proxy.muteAfter('COMMIT');
    const purchase = api.post('/orders', { product_id: product });
    purchase.catch(() => undefined);
    await committing;
    await proxy.close();
    await expect(purchase).rejects.toThrow('fetch failed');
  }, 60_000);
});

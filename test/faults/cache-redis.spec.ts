import { loadConfig } from '../../src/config/config.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { startProxy } from '../support/proxy.js';
import { type OwnRedis, redisThrough, startOwnRedis } from '../support/redis-server.js';

/** What one command to a Redis that does not answer may cost; long, so that a busy machine is told from a lost Redis. */
const COMMAND_MS = 2_000;

describe('the API while Redis is lost', () => {
  useLimits({ cacheCommandMs: COMMAND_MS });
  let redis: OwnRedis;
  let environment: Environment;
  let api: Api;

  beforeEach(async () => {
    redis = await startOwnRedis();
    environment = await createEnvironment(redis.urls);
  });

  afterEach(async () => {
    redis.thaw();
    await api.close();
    await environment.close();
    await redis.stop();
  });

  const took = async (action: () => Promise<{ status: number }>, status: number) => {
    const before = performance.now();
    expect((await action()).status).toBe(status);
    return performance.now() - before;
  };

  it('reads and sells without waiting for Redis while it is down, and uses it again when it is back', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct({ stock: 100 });
    await redis.kill();
    // The connection has noticed.
    await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('degraded'));

    expect(await took(() => api.get(`/products/${id}/cached`), 200)).toBeLessThan(COMMAND_MS);
    expect(await took(() => api.post('/orders', { product_id: id }), 201)).toBeLessThan(COMMAND_MS);
    expect((await api.get('/health')).status).toBe(200);
    expect((await api.get('/health/cache/stats')).status).toBe(503);

    await redis.restart();
    await eventually(async () => {
      await api.get(`/products/${id}/cached`);
      expect((await api.get('/health/cache/stats')).body.hits).toBeGreaterThan(0);
    });
  });

  it('has one reader wait for a frozen Redis, once, and keeps no reader after that waiting', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct();
    redis.freeze();
    const first = await took(() => api.get(`/products/${id}/cached`), 200);
    expect(first).toBeGreaterThanOrEqual(COMMAND_MS - 1);
    expect(first).toBeLessThan(2 * COMMAND_MS);
    expect(await took(() => api.get(`/products/${id}/cached`), 200)).toBeLessThan(COMMAND_MS);
  });

  it('starts without Redis, and uses it as soon as it is there', async () => {
    await redis.kill();
    api = await startApi(environment.config);
    const id = await api.createProduct();
    expect((await api.get(`/products/${id}/cached`)).status).toBe(200);
    expect((await api.post('/orders', { product_id: id })).status).toBe(201);
    expect(await api.get('/health/ready')).toMatchObject({
      status: 200,
      body: { status: 'degraded', checks: { database: true, redis: false } },
    });

    await redis.restart();
    await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('ready'));
  });

  it('drops, when Redis is back, what was changed while it could not be told', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct({ stock: 9 });
    await api.get(`/products/${id}/cached`);
    await eventually(async () => expect((await api.get('/health/cache/stats')).body.total_keys).toBe(1));
    await redis.kill();
    expect((await api.put(`/products/${id}`, { stock: 1 })).status).toBe(200);

    await redis.restart();
    await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('ready'));
    expect((await api.get(`/products/${id}/cached`)).body.stock).toBe(1);
  });

  it('finds out that the other end of its connections is gone though nobody said so', async () => {
    const { port } = new URL(redis.urls.REDIS_URL);
    const proxy = await startProxy(Number(port));
    try {
      const through = redisThrough(proxy.port, redis.urls);
      api = await startApi(loadConfig({ ...environment.variables, ...through }, 'api'));
      const id = await api.createProduct({ stock: 9 });
      await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('ready'));
      await api.get(`/products/${id}/cached`);
      proxy.halfOpen();
      // Redis cannot be told; it is as soon as it is found again.
      expect((await api.put(`/products/${id}`, { stock: 1 })).status).toBe(200);
      await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('ready'), 20_000);
      expect((await api.get(`/products/${id}/cached`)).body.stock).toBe(1);
    } finally {
      await proxy.close();
    }
  });
});

import { loadConfig } from '../../src/config/config.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { startProxy } from '../support/proxy.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';

/** What a lost Redis may cost a reader, by the contract. */
const EXTRA_MS = 100;

describe('the API while Redis is lost', () => {
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

  /** The shortest of a few, which leaves out what else the machine does. */
  const fastest = async (action: () => Promise<{ status: number }>, status: number) => {
    const times = [];
    for (let index = 0; index < 5; index++) {
      const before = performance.now();
      expect((await action()).status).toBe(status);
      times.push(performance.now() - before);
    }
    return Math.min(...times);
  };

  it('reads and sells at once while Redis is down, and uses it again when it is back', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct({ stock: 100 });
    const normalMs = await fastest(() => api.get(`/products/${id}`), 200);
    await redis.kill();

    expect(await fastest(() => api.get(`/products/${id}/cached`), 200)).toBeLessThan(normalMs + EXTRA_MS);
    expect(await fastest(() => api.post('/orders', { product_id: id }), 201)).toBeLessThan(normalMs + EXTRA_MS);
    expect((await api.get('/health')).status).toBe(200);
    expect((await api.get('/health/cache/stats')).status).toBe(503);

    await redis.restart();
    await eventually(async () => {
      await api.get(`/products/${id}/cached`);
      expect((await api.get('/health/cache/stats')).body.hits).toBeGreaterThan(0);
    });
  });

  it('reads within 100 ms more while Redis is frozen: the first reader pays, the others are not kept waiting', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct();
    const normalMs = await fastest(() => api.get(`/products/${id}`), 200);
    redis.freeze();
    const before = performance.now();
    expect((await api.get(`/products/${id}/cached`)).status).toBe(200);
    expect(performance.now() - before).toBeLessThan(normalMs + EXTRA_MS);
    expect(await fastest(() => api.get(`/products/${id}/cached`), 200)).toBeLessThan(normalMs + EXTRA_MS / 2);
  });

  it('starts without Redis, and uses it as soon as it is there', async () => {
    await redis.kill();
    api = await startApi(environment.config);
    const id = await api.createProduct();
    expect((await api.get(`/products/${id}/cached`)).status).toBe(200);
    expect((await api.post('/orders', { product_id: id })).status).toBe(201);
    expect(await api.get('/health/ready')).toMatchObject({
      status: 503,
      body: { checks: { database: true, redis: false } },
    });

    await redis.restart();
    await eventually(async () => expect((await api.get('/health/ready')).status).toBe(200));
  });

  it('drops, when Redis is back, what was changed while it could not be told', async () => {
    api = await startApi(environment.config);
    const id = await api.createProduct({ stock: 9 });
    await api.get(`/products/${id}/cached`);
    await eventually(async () => expect((await api.get('/health/cache/stats')).body.total_keys).toBe(1));
    await redis.kill();
    expect((await api.put(`/products/${id}`, { stock: 1 })).status).toBe(200);

    await redis.restart();
    await eventually(async () => expect((await api.get('/health/ready')).status).toBe(200));
    expect((await api.get(`/products/${id}/cached`)).body.stock).toBe(1);
  });

  it('finds out that the other end of its connections is gone though nobody said so', async () => {
    const { port } = new URL(redis.urls.REDIS_URL);
    const proxy = await startProxy(Number(port));
    try {
      const through = {
        REDIS_URL: `redis://127.0.0.1:${proxy.port}/0`,
        QUEUE_REDIS_URL: `redis://127.0.0.1:${proxy.port}/1`,
      };
      api = await startApi(loadConfig({ ...environment.variables, ...through }, 'api'));
      const id = await api.createProduct({ stock: 9 });
      await eventually(async () => expect((await api.get('/health/ready')).status).toBe(200));
      await api.get(`/products/${id}/cached`);
      proxy.halfOpen();
      // Redis cannot be told; it is as soon as it is found again.
      expect((await api.put(`/products/${id}`, { stock: 1 })).status).toBe(200);
      await eventually(async () => expect((await api.get('/health/ready')).status).toBe(200), 20_000);
      expect((await api.get(`/products/${id}/cached`)).body.stock).toBe(1);
    } finally {
      await proxy.close();
    }
  });
});

import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';

describe('health', () => {
  useLimits({ readinessMs: 1_000 });
  let redis: OwnRedis;
  let environment: Environment;
  let api: Api;

  beforeAll(async () => {
    redis = await startOwnRedis();
    environment = await createEnvironment(redis.urls);
    api = await startApi(environment.config);
  });

  afterAll(async () => {
    await api.close();
    await environment.close();
    await redis.stop();
  });

  it('is healthy and ready, with the shape of the contract', async () => {
    expect(await api.get('/health')).toMatchObject({ status: 200, body: { status: 'healthy' } });
    const { status, body } = await api.get('/health/ready');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'ready', checks: { database: true, redis: true } });
    expect(Object.keys(body.details).sort()).toEqual(['cache', 'connections', 'database', 'queue']);
    expect(body.details.connections).toMatchObject({ total: expect.any(Number), idle: expect.any(Number), waiting: 0 });
  });

  it('counts hits and misses of the cache', async () => {
    const id = await api.createProduct();
    let reads = 0;
    await eventually(async () => {
      await api.get(`/products/${id}/cached`);
      reads++;
      const { status, body } = await api.get('/health/cache/stats');
      expect(status).toBe(200);
      expect(body).toEqual({
        connected_clients: expect.any(Number),
        used_memory: expect.any(Number),
        used_memory_human: expect.any(String),
        total_keys: 1,
        uptime_seconds: expect.any(Number),
        hits: expect.any(Number),
        misses: expect.any(Number),
        hit_rate: body.hits / reads,
      });
      expect(body.hits + body.misses).toBe(reads);
      expect(body.hits).toBeGreaterThanOrEqual(3);
      expect(body.misses).toBeGreaterThanOrEqual(1);
    });
  });

  it('is healthy and degraded while Redis is frozen, and ready again after', async () => {
    redis.freeze();
    const { status, body } = await api.get('/health/ready');
    expect(status).toBe(200);
    expect(body).toMatchObject({ status: 'degraded', checks: { database: true, redis: false } });
    expect((await api.get('/health')).status).toBe(200);
    expect(await api.get('/health/cache/stats')).toMatchObject({ status: 503, body: { code: 'CACHE_UNAVAILABLE' } });
    redis.thaw();
    await eventually(async () => expect((await api.get('/health/ready')).body.status).toBe('ready'));
  });

  describe('of PostgreSQL', () => {
    const expectNotReady = async (message: string) =>
      eventually(async () => {
        const { status, headers, body } = await api.get('/health/ready');
        expect([status, headers.get('Retry-After'), body.status]).toEqual([503, '1', 'not_ready']);
        expect(body.checks.database).toBe(false);
        expect(body.details.database.message).toContain(message);
      });

    it('is not ready on a database without a migration of this build, and takes newer ones as they are', async () => {
      await environment.sql.query(`INSERT INTO migrations (timestamp, name) VALUES (9999999999999, 'FromTheFuture')`);
      expect((await api.get('/health/ready')).body.status).toBe('ready');
      const { rows } = await environment.sql.query(
        'DELETE FROM migrations WHERE timestamp = (SELECT min(timestamp) FROM migrations) RETURNING timestamp, name',
      );
      await expectNotReady(`The migration ${rows[0].timestamp} of this build is missing`);
      await environment.sql.query('INSERT INTO migrations (timestamp, name) VALUES ($1, $2)', [
        rows[0].timestamp,
        rows[0].name,
      ]);
      expect((await api.get('/health/ready')).body.status).toBe('ready');
    });

    it('is not ready on a database without any schema', async () => {
      await environment.sql.query('ALTER TABLE migrations RENAME TO hidden');
      await expectNotReady('migrations');
      await environment.sql.query('ALTER TABLE hidden RENAME TO migrations');
    });
  });
});

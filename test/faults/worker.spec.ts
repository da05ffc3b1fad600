import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { LIMITS } from '../../src/config/limits.js';
import { ORDERS_QUEUE } from '../../src/orders/processing/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';
import { type RoleProcess, startRole } from '../support/role-process.js';

const ORDERS = 200;
const FOREVER_MS = '600000';

describe('orders whose worker or Redis is lost', () => {
  let redis: OwnRedis;
  let environment: Environment;
  let api: Api;
  const workers: RoleProcess[] = [];

  beforeEach(async () => {
    redis = await startOwnRedis();
    environment = await createEnvironment({ ...redis.urls, SWEEP_INTERVAL_MS: '500', SWEEP_AFTER_MS: '1000' });
    api = await startApi(environment.config);
  });

  afterEach(async () => {
    await Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL')));
    await api.close();
    await environment.close();
    await redis.stop();
  });

  const startWorker = (ORDER_PROCESSING_DELAY_MS: string, overrides: Record<string, string> = {}) => {
    const worker = startRole(['--worker'], {
      ...environment.variables,
      ORDER_PROCESSING_DELAY_MS,
      WORKER_CONCURRENCY: String(ORDERS),
      ...overrides,
    });
    workers.push(worker);
    return worker;
  };
  const buy = async (count: number) => {
    const product_id = await api.createProduct({ stock: count });
    const answers = await Promise.all(Array.from({ length: count }, () => api.post('/orders', { product_id })));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: count }, () => 201));
    return answers.map(({ body }) => body.id as number);
  };
  const untilAll = (status: string, count: number, timeoutMs = 25_000) =>
    eventually(async () => expect((await api.get(`/orders?status=${status}`)).body.total).toBe(count), timeoutMs);
  /** Every order is said to be processed once: the log may come a moment after the row. */
  const untilProcessed = (ids: readonly number[], ...processes: RoleProcess[]) =>
    eventually(() => {
      const lines = processes.flatMap(({ log }) => [...log().matchAll(/Order #(\d+) Processed\./g)]);
      expect(lines.map(([, id]) => Number(id)).sort((a, b) => a - b)).toEqual(ids.toSorted((a, b) => a - b));
    });

  it('completes all of 200 orders, each once, after a kill -9 of their worker', async () => {
    const ids = await buy(ORDERS);
    const first = startWorker(FOREVER_MS);
    await untilAll('processing', ORDERS);
    expect(await first.end('SIGKILL')).toBe('SIGKILL');

    const second = startWorker('0');
    await untilAll('completed', ORDERS);
    await untilProcessed(ids, first, second);
  }, 60_000);

  it('completes every order after Redis was wiped in mid-flight', async () => {
    const worker = startWorker('700');
    const early = await buy(50);
    await untilAll('processing', 50);
    const late = await buy(50);
    const client = new Redis(redis.urls.REDIS_URL);
    await client.flushall().finally(() => client.disconnect());

    await untilAll('completed', 100);
    await untilProcessed([...early, ...late], worker);
  }, 60_000);

  it('sells at once while Redis is down, and completes the orders when it is back', async () => {
    const worker = startWorker('0');
    const first = await buy(1);
    await untilAll('completed', 1);
    await redis.kill();

    const before = performance.now();
    const ids = await buy(20);
    // None of them has waited for Redis.
    expect(performance.now() - before).toBeLessThan(LIMITS.cacheCommandMs);

    await redis.restart();
    await untilAll('completed', 21);
    await untilProcessed([...first, ...ids], worker);
  }, 60_000);

  it('goes on after a failover, in which Redis takes no writes for a while', async () => {
    const worker = startWorker('0');
    const first = await buy(1);
    await untilAll('completed', 1);
    const client = new Redis(redis.urls.REDIS_URL);
    await client.call('REPLICAOF', '127.0.0.1', '1');
    const ids = await buy(20);
    await client.call('REPLICAOF', 'NO', 'ONE');
    client.disconnect();
    await untilAll('completed', 21);
    await untilProcessed([...first, ...ids], worker);
  }, 60_000);

  it('completes orders that nobody told Redis of, because the API died after the commit', async () => {
    await environment.sql.query('INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, 10)');
    startWorker('0');
    await untilAll('completed', 10);
  }, 60_000);

  it('sends jobs back on SIGTERM that do not end in time; another worker takes them at once, and no attempt is lost', async () => {
    const ids = await buy(20);
    const first = startWorker(FOREVER_MS, { SHUTDOWN_TIMEOUT_MS: '1500' });
    await untilAll('processing', 20);
    expect(await first.end('SIGTERM')).toBe(0);
    const second = startWorker('0');
    await untilAll('completed', 20);
    const queue = api.app.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
    const stalled = (await queue.getCompleted()).filter(({ stalledCounter }) => stalledCounter > 0);
    expect(stalled).toEqual([]);
    await untilProcessed(ids, first, second);
    const { rows } = await environment.sql.query('SELECT DISTINCT cause FROM order_events ORDER BY cause');
    expect(rows.map(({ cause }) => cause)).toEqual(['attempt 1', 'attempt 2', 'bought', 'fulfilled']);
  }, 60_000);

  it('lets running jobs end on SIGTERM, and exits cleanly', async () => {
    const ids = await buy(20);
    const worker = startWorker('1000');
    await untilAll('processing', 20);
    expect(await worker.end('SIGTERM')).toBe(0);
    await untilProcessed(ids, worker);
  }, 60_000);
});

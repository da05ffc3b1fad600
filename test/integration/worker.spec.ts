import { getQueueToken } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { OrderFulfilmentService } from '../../src/orders/processing/order-fulfilment.service.js';
import { OrderSweep } from '../../src/orders/processing/order-sweep.js';
import { SimulatedFulfilmentGateway } from '../../src/orders/processing/simulated-fulfilment-gateway.js';
import {
  DISPATCH_QUEUE,
  type DispatchPayload,
  jobIdOf,
  ORDERS_QUEUE,
  processOrderJob,
} from '../../src/orders/processing/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { startWorker } from '../support/worker.js';

const LAST_ATTEMPT = { isLast: true, signal: new AbortController().signal };

describe('the worker', () => {
  let environment: Environment;
  let api: Api;
  let worker: INestApplicationContext | undefined;

  /** The sweep waits for the test to run it. */
  const SETTINGS = { SWEEP_INTERVAL_MS: '3600000', SWEEP_AFTER_MS: '0', ORDER_ATTEMPTS: '3', ORDER_BACKOFF_MS: '5' };

  beforeEach(async () => {
    environment = await createEnvironment(SETTINGS);
    // Of those that the sweep may come upon at once, none would be dispatched together.
    api = await startApi({ ...environment.config, orders: { ...environment.config.orders, sweepAfterMs: 10_000 } });
  });

  afterEach(async () => {
    await worker?.close();
    worker = undefined;
    await api.close();
    await environment.close();
  });

  const order = async (product_id: number, quantity = 1): Promise<number> =>
    (await api.post('/orders', { product_id, quantity })).body.id;
  const statusOf = async (id: number) => (await api.get(`/orders/${id}/status`)).body.status;
  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const untilStatus = (id: number, status: string) => eventually(async () => expect(await statusOf(id)).toBe(status));
  const queueOf = (context: INestApplicationContext) =>
    context.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });

  it('moves an order from pending through processing to completed', async () => {
    let finish: () => void = () => undefined;
    const id = await order(await api.createProduct());
    expect(await statusOf(id)).toBe('pending');

    worker = await startWorker(environment.config, () => new Promise((resolve) => (finish = resolve)));
    await untilStatus(id, 'processing');
    finish();
    await untilStatus(id, 'completed');
    const { created_at, updated_at } = (await api.get(`/orders/${id}`)).body;
    expect(Date.parse(updated_at)).toBeGreaterThan(Date.parse(created_at));
  });

  it('has fifty external calls in flight at once', async () => {
    const product = await api.createProduct({ stock: 50 });
    let inFlight = 0;
    let open: () => void = () => undefined;
    const all = new Promise<void>((resolve) => (open = resolve));
    worker = await startWorker(environment.config, async () => {
      if (++inFlight === 50) open();
      await all;
    });
    const ids = await Promise.all(Array.from({ length: 50 }, () => order(product)));
    for (const id of ids) await untilStatus(id, 'completed');
  });

  it('works on each order once, whether it was dispatched alone or with others', async () => {
    const product = await api.createProduct({ stock: 100 });
    const ids = await Promise.all(Array.from({ length: 100 }, () => order(product)));
    const dispatches = api.app.get<Queue<DispatchPayload>>(getQueueToken(DISPATCH_QUEUE), { strict: false });
    const together = async () => (await dispatches.getWaiting()).flatMap(({ data }) => data.orderIds);
    const alone = async () => (await queueOf(api.app).getWaiting()).map(({ id }) => id);
    await eventually(async () => expect((await together()).length + (await alone()).length).toBe(100));
    expect((await together()).length).toBeGreaterThan(50);
    expect([...(await together()).map(jobIdOf), ...(await alone())].sort()).toEqual(ids.map(jobIdOf).sort());

    const calls: number[] = [];
    worker = await startWorker(environment.config, (id) => {
      calls.push(id);
      return Promise.resolve();
    });
    for (const id of ids) await untilStatus(id, 'completed');
    expect(calls.sort((a, b) => a - b)).toEqual(ids.sort((a, b) => a - b));
  });

  it('simulates a call that takes the configured time and blocks nobody', async () => {
    const config = { ...environment.config, orders: { ...environment.config.orders, processingDelayMs: 300 } };
    const gateway = new SimulatedFulfilmentGateway(config);
    const before = performance.now();
    const order = { id: 1, totalPrice: 1n, items: [], createdAt: new Date() };
    const options = { key: 'order-1', signal: AbortSignal.timeout(10_000) };
    await Promise.all(Array.from({ length: 50 }, () => gateway.fulfil(order, options)));
    const elapsedMs = performance.now() - before;
    expect(elapsedMs).toBeGreaterThanOrEqual(299);
    // One after the other they would take twice as long at least.
    expect(elapsedMs).toBeLessThan((50 * 300) / 2);
  });

  it('tries again with a growing wait, and completes when the call succeeds', async () => {
    const calls: number[] = [];
    worker = await startWorker(environment.config, () => {
      calls.push(performance.now());
      return calls.length < 3 ? Promise.reject(new Error('busy')) : Promise.resolve();
    });
    const product = await api.createProduct({ stock: 5 });
    const id = await order(product, 2);
    await untilStatus(id, 'completed');
    expect([calls.length, await stockOf(product)]).toEqual([3, 3]);
  });

  it('fails an order whose attempts are used up, and gives its stock back exactly once', async () => {
    worker = await startWorker(environment.config, () => Promise.reject(new Error('declined')));
    const [a, b] = [await api.createProduct({ stock: 5 }), await api.createProduct({ stock: 5 })];
    const items = [
      { product_id: a, quantity: 2 },
      { product_id: b, quantity: 3 },
    ];
    const { id } = (await api.post('/orders', { items })).body;
    await api.get(`/products/${a}/cached`);
    await api.delete(`/products/${b}`);
    await untilStatus(id, 'failed');

    const fulfilment = worker.get(OrderFulfilmentService, { strict: false });
    await Promise.all([fulfilment.process(id, LAST_ATTEMPT), fulfilment.process(id, LAST_ATTEMPT)]);
    const { rows } = await environment.sql.query('SELECT stock FROM products ORDER BY id');
    expect(rows).toEqual([{ stock: 5 }, { stock: 5 }]);
    await eventually(async () => expect((await api.get(`/products/${a}/cached`)).body.stock).toBe(5));
  });

  it('gives stock back no further than the column reaches', async () => {
    worker = await startWorker(environment.config, () => Promise.reject(new Error('declined')));
    const product = await api.createProduct({ stock: 5 });
    const id = await order(product, 5);
    await api.put(`/products/${product}`, { stock: 2_147_483_647 });
    await untilStatus(id, 'failed');
    expect(await stockOf(product)).toBe(2_147_483_647);
  });

  it('has one effect however often a job is delivered', async () => {
    const calls: number[] = [];
    worker = await startWorker(environment.config, (id) => Promise.resolve(void calls.push(id)));
    const id = await order(await api.createProduct());
    await untilStatus(id, 'completed');
    const { updated_at } = (await api.get(`/orders/${id}`)).body;

    const fulfilment = worker.get(OrderFulfilmentService, { strict: false });
    await fulfilment.process(id, LAST_ATTEMPT);
    expect(calls).toEqual([id]);
    expect((await api.get(`/orders/${id}`)).body).toMatchObject({ status: 'completed', updated_at });
  });

  it('lets one of two that race for an order complete it, and never fails what was completed', async () => {
    let release: (outcome: Promise<void>) => void = () => undefined;
    const outcome = new Promise<void>((resolve) => (release = resolve));
    const gateway: Promise<void>[] = [outcome, Promise.resolve()];
    worker = await startWorker(environment.config, () => gateway.shift() ?? Promise.resolve());
    await queueOf(worker).pause();
    const product = await api.createProduct({ stock: 5 });
    const id = await order(product);

    const fulfilment = worker.get(OrderFulfilmentService, { strict: false });
    const slow = fulfilment.process(id, LAST_ATTEMPT);
    await eventually(() => expect(gateway).toHaveLength(1));
    await fulfilment.process(id, LAST_ATTEMPT);
    expect(await statusOf(id)).toBe('completed');
    release(Promise.reject(new Error('declined')));
    await expect(slow).rejects.toThrow('declined');
    expect([await statusOf(id), await stockOf(product)]).toEqual(['completed', 4]);
    await queueOf(worker).resume();
  });

  describe('the sweep', () => {
    it('dispatches again what Redis lost', async () => {
      const id = await order(await api.createProduct());
      await eventually(async () => expect(await queueOf(api.app).getWaitingCount()).toBe(1));
      await queueOf(api.app).obliterate({ force: true });

      worker = await startWorker(environment.config);
      expect(await worker.get(OrderSweep, { strict: false }).sweep()).toBe(1);
      await untilStatus(id, 'completed');
    });

    it('leaves an order alone whose job still stands in the queue', async () => {
      worker = await startWorker(environment.config, () => Promise.reject(new Error('busy')));
      await queueOf(worker).pause();
      await order(await api.createProduct());
      await eventually(async () => expect(await queueOf(api.app).getWaitingCount()).toBe(1));
      expect(await worker.get(OrderSweep, { strict: false }).sweep()).toBe(0);
      await queueOf(worker).resume();
    });

    it('looks at so many orders that have their jobs, however long the queue is, and goes on behind them', async () => {
      const { rows } = await environment.sql.query<{ id: string }>(
        'INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, 2600) RETURNING id',
      );
      const ids = rows.map(({ id }) => Number(id));
      worker = await startWorker(environment.config);
      await queueOf(worker).pause();
      await queueOf(worker).addBulk(ids.slice(0, -1).map((id) => processOrderJob(id, environment.config.orders)));
      const jobs = queueOf(worker);
      let lookUps = 0;
      jobs.getJob = async (id) => {
        lookUps++;
        return Object.getPrototypeOf(jobs).getJob.call(jobs, id);
      };
      const sweep = worker.get(OrderSweep, { strict: false });
      const found = [];
      for (let run = 0; run < 3; run++) {
        lookUps = 0;
        found.push(await sweep.sweep());
        expect(lookUps).toBeLessThanOrEqual(1_000);
      }
      expect(found).toEqual([0, 0, 1]);
      await queueOf(worker).obliterate({ force: true });
      expect(await sweep.sweep()).toBe(2_600);
    });

    it('does not take a kept, finished job for one that is still to come', async () => {
      worker = await startWorker(environment.config);
      const id = await order(await api.createProduct());
      await untilStatus(id, 'completed');
      await eventually(async () => expect(await queueOf(api.app).getJob(jobIdOf(id))).toHaveProperty('finishedOn'));
      // As a restored backup has it: the trigger refuses the way back.
      await environment.sql.query(
        `SET session_replication_role = replica; UPDATE orders SET status = 'processing' WHERE id = ${id}; RESET session_replication_role`,
      );

      const sweep = worker.get(OrderSweep, { strict: false });
      await eventually(async () => expect(await sweep.sweep()).toBe(1));
      await untilStatus(id, 'completed');
    });

    it('goes through any number of orders, and leaves the young and the ended ones', async () => {
      await environment.sql.query(
        `INSERT INTO orders (total_price, status) SELECT 1, CASE WHEN n <= 1200 THEN 'pending' ELSE 'completed' END FROM generate_series(1, 1300) AS n`,
      );
      worker = await startWorker(environment.config);
      const sweep = worker.get(OrderSweep, { strict: false });
      expect(await sweep.sweep()).toBe(1_200);
      await eventually(async () => expect((await api.get('/orders?status=completed')).body.total).toBe(1_300));
      expect(await sweep.sweep()).toBe(0);

      const patient = await startWorker({
        ...environment.config,
        orders: { ...environment.config.orders, sweepAfterMs: 3_600_000 },
      });
      await environment.sql.query('INSERT INTO orders (total_price) VALUES (1)');
      expect(await patient.get(OrderSweep, { strict: false }).sweep()).toBe(0);
      await patient.close();
    });
  });
});

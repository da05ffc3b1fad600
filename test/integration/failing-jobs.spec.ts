import { getQueueToken } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import type { Queue } from 'bullmq';
import {
  type FulfilmentGateway,
  type FulfilmentOptions,
  PermanentFulfilmentError,
} from '../../src/orders/processing/fulfilment-gateway.js';
import { jobIdOf, ORDERS_QUEUE } from '../../src/orders/processing/order-jobs.js';
import { createWorker } from '../../src/roles/worker/create-worker.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { startWorker } from '../support/worker.js';

describe('jobs that fail', () => {
  let environment: Environment;
  let api: Api;
  let worker: INestApplicationContext | undefined;

  beforeEach(async () => {
    environment = await createEnvironment({
      SWEEP_INTERVAL_MS: '3600000',
      SWEEP_AFTER_MS: '0',
      ORDER_ATTEMPTS: '3',
      ORDER_BACKOFF_MS: '5',
      ORDER_PROCESSING_DELAY_MS: '0',
      FULFILMENT_TIMEOUT_MS: '100',
    });
    api = await startApi(environment.config);
  });

  afterEach(async () => {
    await worker?.close();
    worker = undefined;
    await api.close();
    await environment.close();
  });

  const order = async (product_id: number) => (await api.post('/orders', { product_id })).body.id as number;
  const untilStatus = (id: number, status: string) =>
    eventually(async () => expect((await api.get(`/orders/${id}/status`)).body.status).toBe(status));
  const causesOf = async (id: number) =>
    (await api.get(`/orders/${id}/events`)).body.items.map(({ cause }: { cause: string }) => cause);
  const queue = () => api.app.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
  it('are not tried again when the fault is a permanent one; the order fails and its stock goes back', async () => {
    let calls = 0;
    worker = await startWorker(environment.config, () => {
      calls++;
      return Promise.reject(new PermanentFulfilmentError('the card is stolen'));
    });
    const product = await api.createProduct({ stock: 5 });
    const id = await order(product);
    await untilStatus(id, 'failed');
    await eventually(async () => expect(await (await queue().getJob(jobIdOf(id)))?.getState()).toBe('failed'));
    expect([calls, (await api.get(`/products/${product}`)).body.stock]).toEqual([1, 5]);
    expect(await causesOf(id)).toContain('the external call failed: PermanentFulfilmentError: the card is stolen');
  });

  const keyOf = async (id: number) =>
    (await environment.sql.query('SELECT fulfilment_key AS key FROM orders WHERE id = $1', [id])).rows[0].key as string;

  it('are given the key of before when they were bought before there were keys', async () => {
    const given: FulfilmentOptions[] = [];
    const id = await order(await api.createProduct());
    await environment.sql.query('UPDATE orders SET fulfilment_key = NULL WHERE id = $1', [id]);
    worker = await startWorker(environment.config, async (_id, options) => void given.push(options));
    await untilStatus(id, 'completed');
    expect(given.map(({ key }) => key)).toEqual([`order-${id}`]);
  });

  it('are not taken for fulfilled when their gateway does not say so', async () => {
    const gateway = { fulfil: () => Promise.resolve(undefined), cancel: () => Promise.resolve() };
    worker = await createWorker(environment.config, { fulfilment: gateway as unknown as FulfilmentGateway });
    const id = await order(await api.createProduct());
    await untilStatus(id, 'failed');
    expect(await causesOf(id)).toContain(
      "the external call failed: Error: The gateway's fulfil must resolve to { outcome: 'done' }",
    );
  });

  it('leave orders that have a key to workers that know it', async () => {
    const product = await api.createProduct();
    const [withKey, without] = [await order(product), await order(product)];
    await environment.sql.query('UPDATE orders SET fulfilment_key = NULL WHERE id = $1', [without]);
    // As a worker of the release before claims.
    const client = await environment.sql.connect();
    await client.query(`SET application_name TO 'order-system'`);
    const { rows } = await client.query(`UPDATE orders SET status = 'processing' WHERE id = ANY ($1) RETURNING id`, [
      [withKey, without],
    ]);
    client.release(true);
    expect(rows.map((row) => Number(row.id))).toEqual([without]);
    worker = await startWorker(environment.config);
    await untilStatus(withKey, 'completed');
  });

  it('are given the same idempotency key at every attempt, and a deadline', async () => {
    const given: FulfilmentOptions[] = [];
    worker = await startWorker(environment.config, (_id, options) => {
      given.push(options);
      return given.length === 1 ? new Promise(() => undefined) : Promise.resolve();
    });
    const id = await order(await api.createProduct());
    await untilStatus(id, 'completed');
    expect(given.map(({ key }) => key)).toEqual([await keyOf(id), await keyOf(id)]);
    expect(given[0]?.signal.aborted).toBe(true);
    expect(await causesOf(id)).toEqual(['bought', 'attempt 1', 'attempt 2', 'fulfilled']);
  });

  it('end the order also when the provider says something that PostgreSQL cannot store', async () => {
    worker = await startWorker(environment.config, () => Promise.reject(new Error('no\0\ud800' + 'x'.repeat(1_000))));
    const id = await order(await api.createProduct());
    await untilStatus(id, 'failed');
    expect((await causesOf(id)).at(-1)).toMatch(/^the external call failed: Error: no.x+$/);
  });
});

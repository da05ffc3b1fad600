import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { getQueueToken } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import { type Queue, UnrecoverableError, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { type FulfilmentOptions, PermanentFulfilmentError } from '../../src/orders/fulfilment-gateway.js';
import { OrderSweep } from '../../src/orders/order-sweep.js';
import { jobIdOf, ORDERS_QUEUE } from '../../src/queue/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { startWorker } from '../support/worker.js';

const execute = promisify(execFile);

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
  const operator = async (flag: string) =>
    (
      await execute(process.execPath, ['dist/src/main.js', flag], {
        env: { PATH: process.env.PATH, ...environment.variables },
      })
    ).stdout;

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

  it('are given the same idempotency key at every attempt, and a deadline', async () => {
    const given: FulfilmentOptions[] = [];
    worker = await startWorker(environment.config, (_id, options) => {
      given.push(options);
      return given.length === 1 ? new Promise(() => undefined) : Promise.resolve();
    });
    const id = await order(await api.createProduct());
    await untilStatus(id, 'completed');
    expect(given.map(({ idempotencyKey }) => idempotencyKey)).toEqual([`order-${id}`, `order-${id}`]);
    expect(given[0]?.signal.aborted).toBe(true);
    expect(await causesOf(id)).toEqual(['bought', 'attempt 1', 'attempt 2', 'fulfilled']);
  });

  it('end the order also when the provider says something that PostgreSQL cannot store', async () => {
    worker = await startWorker(environment.config, () => Promise.reject(new Error('no\0\ud800' + 'x'.repeat(1_000))));
    const id = await order(await api.createProduct());
    await untilStatus(id, 'failed');
    expect((await causesOf(id)).at(-1)).toMatch(/^the external call failed: Error: no.x+$/);
  });

  it('because they end their workers are left to an operator, who sees them and hands the orders over again', async () => {
    const ids = [await order(await api.createProduct()), await order(await api.createProduct())];
    await eventually(async () => expect(await queue().getWaitingCount()).toBe(2));
    await failAsStalled(2);
    worker = await startWorker(environment.config);
    expect(await worker.get(OrderSweep, { strict: false }).run()).toBe(0);
    expect(await queue().getFailedCount()).toBe(2);

    await api.post(`/orders/${ids[1]}/cancel`);
    const shown = await operator('--dead-letters');
    expect(shown).toMatch(new RegExp(`^${ids[0]} .*job stalled more than allowable limit$`, 'm'));
    expect(shown.trim().split('\n')).toHaveLength(2);
    expect(await operator('--redrive')).toContain('1 orders were handed over again');
    await untilStatus(ids[0] ?? 0, 'completed');
    expect(await operator('--dead-letters')).toBe('There are no dead letters\n');
  });

  /** As BullMQ does with a job whose workers have died too often. */
  async function failAsStalled(count: number): Promise<void> {
    const connection = new Redis(environment.config.queue.url, { maxRetriesPerRequest: null });
    const taker = new Worker(ORDERS_QUEUE, null, { connection });
    for (let taken = 0; taken < count; taken++) {
      const job = await taker.getNextJob('token');
      await job.moveToFailed(new UnrecoverableError('job stalled more than allowable limit'), 'token', false);
    }
    await taker.close();
    connection.disconnect();
  }
});

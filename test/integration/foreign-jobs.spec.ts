import { getQueueToken } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import fc from 'fast-check';
import { Test } from '@nestjs/testing';
import { DeadLettersRootModule } from '../../src/roles/dead-letters/dead-letters-root.module.js';
import { DeadLettersService } from '../../src/orders/dead-letters/dead-letters.service.js';
import { OrderSweep } from '../../src/orders/processing/order-sweep.js';
import { AUDIT_QUEUE } from '../../src/audit/audit-jobs.js';
import {
  DISPATCH_QUEUE,
  dispatchJob,
  jobIdOf,
  ORDERS_QUEUE,
  processOrderJob,
} from '../../src/orders/processing/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { failAsStalled } from '../support/dead-letter.js';
import { startWorker } from '../support/worker.js';

const FOREVER_MS = 86_400_000;
/** What comes close to a payload of this system, and is none. */
const NEARLY = [
  {},
  { orderIds: null },
  { orderIds: 7 },
  { orderIds: {} },
  { orderIds: ['1', null, -1, 1.5, 2 ** 53, [1]] },
  { orderIds: Array.from({ length: 501 }, (_, index) => index + 1) },
  { orderId: 'abc' },
  { orderId: '1' },
  { orderId: null },
  { orderId: 1e300 },
  { orderId: 0 },
  { orderId: [1] },
];
const payloads = fc.oneof(fc.constantFrom<unknown>(...NEARLY), fc.jsonValue());

/** Anybody who reaches Redis can add jobs. They cost themselves, and nobody else. */
describe('jobs that this system has not made', () => {
  let environment: Environment;
  let api: Api;
  let worker: INestApplicationContext;
  let operator: INestApplicationContext;

  beforeAll(async () => {
    environment = await createEnvironment({ SWEEP_INTERVAL_MS: '3600000', SWEEP_AFTER_MS: '0' });
    api = await startApi(environment.config);
    worker = await startWorker(environment.config);
    operator = await (
      await Test.createTestingModule({ imports: [DeadLettersRootModule.forRoot(environment.config)] }).compile()
    ).init();
  });

  afterAll(async () => {
    await operator.close();
    await worker.close();
    await api.close();
    await environment.close();
  });

  const queueOf = (name: string) => worker.get<Queue<unknown>>(getQueueToken(name), { strict: false });
  const queues = () => [ORDERS_QUEUE, DISPATCH_QUEUE, AUDIT_QUEUE].map(queueOf);
  const insert = async (count: number): Promise<number[]> => {
    const { rows } = await environment.sql.query<{ id: string }>(
      'INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, $1) RETURNING id',
      [count],
    );
    return rows.map(({ id }) => Number(id));
  };
  const untilCompleted = (ids: readonly number[]) =>
    eventually(async () => {
      const { rows } = await environment.sql.query('SELECT DISTINCT status FROM orders WHERE id = ANY ($1)', [ids]);
      expect(rows).toEqual([{ status: 'completed' }]);
    });
  const sweep = () => worker.get(OrderSweep, { strict: false }).sweep();

  it('leave sweep, list of dead letters, redrive and neighbours as they are, whatever they hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(payloads, { minLength: 1, maxLength: 8 }), async (foreign) => {
        const [alone, together, lost] = [await insert(3), await insert(3), await insert(2)];
        for (const data of foreign) {
          for (const queue of queues()) {
            if (queue.name !== AUDIT_QUEUE) await queue.add('foreign', data);
            await queue.add('foreign', data, { delay: FOREVER_MS });
          }
        }
        await queueOf(ORDERS_QUEUE).addBulk(alone.map((id) => processOrderJob(id, environment.config.orders)));
        await queueOf(DISPATCH_QUEUE).addBulk([dispatchJob(together)]);
        await untilCompleted([...alone, ...together]);
        await sweep();
        await untilCompleted(lost);
        const { rows } = await environment.sql.query(
          `SELECT order_id FROM order_events WHERE order_id = ANY ($1) AND status = 'processing' GROUP BY 1 HAVING count(*) > 1`,
          [[...alone, ...together, ...lost]],
        );
        expect(rows).toEqual([]);
        const letters = operator.get(DeadLettersService);
        expect(await letters.redrive(await letters.list())).toBe(0);
        await eventually(async () => expect(await queueOf(ORDERS_QUEUE).getActiveCount()).toBe(0));
        for (const queue of queues()) await queue.drain(true);
      }),
      { numRuns: 25, examples: [[NEARLY]] },
    );
  }, 120_000);

  it.each([
    ['holds another order', (id: number) => ({ data: { orderId: id + 1_000_000 }, opts: {} })],
    ['holds nothing', () => ({ data: null, opts: {} })],
    ['waits for ever', (id: number) => ({ data: { orderId: id }, opts: { delay: FOREVER_MS } })],
  ])('keep no order from its end by taking the place of its job: one that %s', async (_what, jobFor) => {
    const ids = await insert(1);
    const [id = 0] = ids;
    const { data, opts } = jobFor(id);
    await queueOf(ORDERS_QUEUE).pause();
    await queueOf(ORDERS_QUEUE).add('foreign', data, { jobId: jobIdOf(id), ...opts });
    expect(await sweep()).toBe(1);
    await queueOf(ORDERS_QUEUE).resume();
    await untilCompleted(ids);
  });

  it('keep no order from its end by naming it in a dispatch that waits for ever', async () => {
    const ids = await insert(3);
    await queueOf(DISPATCH_QUEUE).add('foreign', { orderIds: ids }, { delay: FOREVER_MS });
    expect(await sweep()).toBe(3);
    await untilCompleted(ids);
  });

  it('keep no order from its end by what cannot be read in the place of its job, or by no job at all, or by a dead letter of another', async () => {
    const ids = await insert(4);
    const redis = new Redis(environment.config.queue.url);
    const keyOf = (id: number | undefined) => `bull:${ORDERS_QUEUE}:${jobIdOf(id ?? 0)}`;
    await redis.hset(keyOf(ids[0]), { name: 'foreign', data: '{', opts: '{', timestamp: 'x' });
    await redis.hset(keyOf(ids[1]), {
      name: 'foreign',
      data: JSON.stringify({ orderId: ids[1] }),
      opts: '{}',
      timestamp: '1',
    });
    await redis.set(keyOf(ids[2]), 'a text');
    redis.disconnect();
    await failAsStalled(environment.config, ids[3] ?? 0, { orderId: ids[0] });
    expect(await sweep()).toBe(4);
    await untilCompleted(ids);
  });

  it('do not keep dead letters from being seen and dispatched again', async () => {
    const letters = operator.get(DeadLettersService);
    const queue = queueOf(ORDERS_QUEUE);
    for (const [index, data] of NEARLY.entries()) await queue.add('foreign', data, { jobId: `foreign-${index}` });
    await eventually(async () => expect(await (await queue.getJob('foreign-0'))?.getState()).toBe('completed'));
    expect(await letters.list()).toEqual([]);

    const ids = await insert(1);
    await failAsStalled(environment.config, ids[0] ?? 0);
    await queue.add('foreign', { orderId: 'abc' });
    const list = await letters.list();
    expect(list.map(({ orderId }) => orderId)).toEqual(ids);
    expect(await sweep()).toBe(0);
    expect(await letters.redrive(list)).toBe(1);
    await untilCompleted(ids);
    expect(await letters.list()).toEqual([]);
  });
});

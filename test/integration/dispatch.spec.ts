import { getQueueToken } from '@nestjs/bullmq';
import type { INestApplicationContext } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { PermanentFulfilmentError } from '../../src/orders/processing/fulfilment-gateway.js';
import { OrderSweep } from '../../src/orders/processing/order-sweep.js';
import {
  DISPATCH_QUEUE,
  dispatchJob,
  type DispatchPayload,
  ORDERS_QUEUE,
  processOrderJob,
} from '../../src/orders/processing/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { RELAXED, setLimits } from '../support/limits.js';
import { type Fulfil, startWorker } from '../support/worker.js';

const CONCURRENCY = 10;
/** Of the tests in which orders find no slot: long enough that those which find one have begun on a busy machine as well. */
const PATIENCE_MS = 2_000;

describe('orders that are dispatched together', () => {
  let environment: Environment;
  let api: Api;
  const workers: INestApplicationContext[] = [];

  beforeEach(() => open({}));

  afterEach(() => close());

  /** The sweep waits for the test to run it. */
  async function open(overrides: Record<string, string>): Promise<void> {
    environment = await createEnvironment({
      SWEEP_INTERVAL_MS: '3600000',
      SWEEP_AFTER_MS: '0',
      ORDER_ATTEMPTS: '3',
      ORDER_BACKOFF_MS: '5',
      WORKER_CONCURRENCY: String(CONCURRENCY),
      SHUTDOWN_TIMEOUT_MS: '1500',
      ...overrides,
    });
    api = await startApi(environment.config);
  }

  async function close(): Promise<void> {
    setLimits(RELAXED);
    await Promise.all(workers.splice(0).map((worker) => worker.close()));
    await api.close();
    await environment.close();
  }

  const start = async (fulfil: Fulfil) => {
    const worker = await startWorker(environment.config, fulfil);
    workers.push(worker);
    return worker;
  };
  const queue = () => api.app.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
  const dispatches = () => api.app.get<Queue<DispatchPayload>>(getQueueToken(DISPATCH_QUEUE), { strict: false });

  /** Orders that nobody has dispatched yet. */
  const sell = async (count: number) => {
    const product = await api.createProduct({ stock: count });
    const answers = await Promise.all(
      Array.from({ length: count }, () => api.post('/orders', { product_id: product })),
    );
    const ids = answers.map(({ body }) => body.id as number).sort((a, b) => a - b);
    const together = async () => (await dispatches().getWaiting()).flatMap(({ data }) => data.orderIds);
    await eventually(async () => expect((await together()).length + (await queue().getWaitingCount())).toBe(count));
    await Promise.all([queue().obliterate({ force: true }), dispatches().obliterate({ force: true })]);
    return { product, ids };
  };
  const dispatch = (ids: readonly number[]) => dispatches().addBulk([dispatchJob(ids)]);
  const untilAll = (status: string, count: number) =>
    eventually(async () => expect((await api.get(`/orders?status=${status}`)).body.total).toBe(count));
  const jobs = async () => Object.values(await queue().getJobCounts()).reduce((sum, count) => sum + count, 0);
  const causesOf = async (id: number | undefined) =>
    (await api.get(`/orders/${id}/events`)).body.items.map(({ cause }: { cause: string }) => cause);
  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;

  /** Calls that stay under way until they are let go, one by one. */
  const hold = () => {
    const underWay = new Map<number, () => void>();
    const fulfil = (id: number) =>
      new Promise<void>((resolve) =>
        underWay.set(id, () => {
          underWay.delete(id);
          resolve();
        }),
      );
    return { underWay, fulfil, release: () => [...underWay.values()].forEach((end) => end()) };
  };

  it('are worked on without a job of each, each once, also when they are dispatched twice', async () => {
    const { ids } = await sell(100);
    await dispatch(ids);
    await dispatches().addBulk([dispatchJob([...ids].reverse())]);
    const calls: number[] = [];
    await start((id) => Promise.resolve(void calls.push(id)));
    await untilAll('completed', 100);
    await eventually(async () => expect(await dispatches().getCompletedCount()).toBe(2));
    expect(calls.sort((a, b) => a - b)).toEqual(ids);
    expect(await jobs()).toBe(0);
  });

  it('leave one alone that somebody works on already', async () => {
    const { ids } = await sell(5);
    const [first, ...others] = ids;
    await queue().add('process-order', { orderId: first });
    const { underWay, fulfil, release } = hold();
    const calls: number[] = [];
    await start((id) => {
      calls.push(id);
      return id === first ? fulfil(id) : Promise.resolve();
    });
    await eventually(() => expect(underWay.size).toBe(1));
    await dispatch(ids);
    await untilAll('completed', others.length);
    await eventually(async () => expect(await dispatches().getCompletedCount()).toBe(1));
    release();
    await untilAll('completed', 5);
    expect(calls.sort((a, b) => a - b)).toEqual(ids);
  });

  it('keep to the bound of calls in flight, together with jobs of single orders', async () => {
    const { ids } = await sell(120);
    await dispatch(ids.slice(0, 60));
    await queue().addBulk(ids.slice(60).map((orderId) => ({ name: 'process-order', data: { orderId } })));
    let inFlight = 0;
    let most = 0;
    await start(async () => {
      most = Math.max(most, ++inFlight);
      await new Promise((resolve) => setTimeout(resolve, 5));
      inFlight--;
    });
    await untilAll('completed', 120);
    expect(most).toBeLessThanOrEqual(CONCURRENCY);
    expect(most).toBeGreaterThan(1);
  });

  it('leave those that find no slot soon to other workers', async () => {
    setLimits({ slotPatienceMs: PATIENCE_MS });
    const { ids } = await sell(2 * CONCURRENCY);
    const [first, second] = [hold(), hold()];
    await start(first.fulfil);
    await dispatch(ids);
    await eventually(() => expect(first.underWay.size).toBeGreaterThan(0));
    await start(second.fulfil);
    await eventually(() => expect(first.underWay.size + second.underWay.size).toBe(2 * CONCURRENCY));
    expect([...first.underWay.keys(), ...second.underWay.keys()].sort((a, b) => a - b)).toEqual(ids);
    [first, second].forEach(({ release }) => release());
    await untilAll('completed', 2 * CONCURRENCY);
  });

  it('are left to the jobs that they were given while single orders held all slots', async () => {
    setLimits({ slotPatienceMs: PATIENCE_MS });
    const { ids } = await sell(CONCURRENCY + 3);
    const [singles, together] = [ids.slice(0, CONCURRENCY), ids.slice(CONCURRENCY)];
    await queue().addBulk(singles.map((id) => processOrderJob(id, environment.config.orders)));
    const { underWay, fulfil, release } = hold();
    const calls: number[] = [];
    await start((id) => {
      calls.push(id);
      return fulfil(id);
    });
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    await dispatch(together);
    await eventually(async () => expect(await dispatches().getCompletedCount()).toBe(1));
    expect(await queue().getWaitingCount()).toBe(3);
    const releasing = setInterval(release, 20);
    await untilAll('completed', ids.length).finally(() => clearInterval(releasing));
    await eventually(async () => expect(await queue().getCompletedCount()).toBe(ids.length));
    expect(calls.sort((a, b) => a - b)).toEqual(ids);
  });

  it('take all slots but one, however few there are in each job', async () => {
    const { ids } = await sell(CONCURRENCY - 1);
    const { underWay, fulfil, release } = hold();
    await start(fulfil);
    for (const id of ids) await dispatch([id]);
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY - 1));
    expect(await jobs()).toBe(0);
    release();
    await untilAll('completed', CONCURRENCY - 1);
  });

  it('hold no single order back that another worker could work on', async () => {
    const { ids } = await sell(2 * CONCURRENCY - 1);
    const [first, second] = [hold(), hold()];
    await start(first.fulfil);
    await dispatch(ids.slice(0, CONCURRENCY - 1));
    await eventually(() => expect(first.underWay.size).toBe(CONCURRENCY - 1));
    await queue().addBulk(ids.slice(CONCURRENCY - 1).map((id) => processOrderJob(id, environment.config.orders)));
    await eventually(() => expect(first.underWay.size).toBe(CONCURRENCY));
    await start(second.fulfil);
    await eventually(() => expect(second.underWay.size).toBe(CONCURRENCY - 1));
    [first, second].forEach(({ release }) => release());
    await untilAll('completed', 2 * CONCURRENCY - 1);
  });

  it('take slots that come back together before jobs of single orders do, which another worker could work on', async () => {
    setLimits({ slotPatienceMs: 10 * PATIENCE_MS });
    const { ids } = await sell(3 * CONCURRENCY);
    const [singles, together] = [ids.slice(0, 2 * CONCURRENCY), ids.slice(2 * CONCURRENCY)];
    const { underWay, fulfil, release } = hold();
    await queue().addBulk(singles.map((id) => processOrderJob(id, environment.config.orders)));
    await start(fulfil);
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    await dispatch(together);
    await eventually(async () => expect(await dispatches().getActiveCount()).toBe(1));
    release();
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    expect(together.filter((id) => underWay.has(id))).toHaveLength(CONCURRENCY - 1);
    expect(await queue().getActiveCount()).toBe(1);
    const releasing = setInterval(release, 20);
    await untilAll('completed', ids.length).finally(() => clearInterval(releasing));
  });

  it('give each slot to a job of a single order as soon as its call ends', async () => {
    const { ids } = await sell(3 * CONCURRENCY);
    const { underWay, fulfil, release } = hold();
    await start(fulfil);
    await dispatch(ids.slice(0, CONCURRENCY - 1));
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY - 1));
    await queue().addBulk(ids.slice(CONCURRENCY - 1).map((id) => processOrderJob(id, environment.config.orders)));
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    const [slow] = ids;
    for (const [id, end] of underWay) if (id !== slow && ids.indexOf(id) < CONCURRENCY - 1) end();
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    expect(underWay.has(slow ?? 0)).toBe(true);
    const releasing = setInterval(release, 20);
    await untilAll('completed', 3 * CONCURRENCY).finally(() => clearInterval(releasing));
  });

  it('leave the only slot of a worker to single orders', async () => {
    await close();
    await open({ WORKER_CONCURRENCY: '1' });
    const { ids } = await sell(3);
    const { underWay, fulfil, release } = hold();
    await start(fulfil);
    await dispatch(ids);
    await eventually(() => expect(underWay.size).toBe(1));
    await eventually(async () => expect(await jobs()).toBe(3));
    const releasing = setInterval(release, 20);
    await untilAll('completed', 3).finally(() => clearInterval(releasing));
  });

  it('give their slots to jobs of single orders when they end', async () => {
    setLimits({ slotPatienceMs: PATIENCE_MS });
    const { ids } = await sell(2 * CONCURRENCY);
    const { underWay, fulfil, release } = hold();
    await start(fulfil);
    await dispatch(ids);
    await eventually(async () => expect(await jobs()).toBe(CONCURRENCY + 1));
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    const first = [...underWay.keys()].sort((a, b) => a - b);
    const single = first.at(-1);
    for (const [id, end] of underWay) if (id !== single) end();
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY));
    expect(underWay.has(single ?? 0)).toBe(true);
    const releasing = setInterval(release, 20);
    await untilAll('completed', 2 * CONCURRENCY).finally(() => clearInterval(releasing));
  });

  it('do not keep later ones from the other workers while their calls are slow', async () => {
    setLimits({ slotPatienceMs: PATIENCE_MS });
    const { ids } = await sell(200);
    const slow = hold();
    await start(slow.fulfil);
    for (let first = 0; first < 200; first += 10) await dispatch(ids.slice(first, first + 10));
    await eventually(() => expect(slow.underWay.size).toBe(CONCURRENCY));
    await eventually(async () => expect(await dispatches().getWaitingCount()).toBe(0));

    await start(() => Promise.resolve());
    await untilAll('completed', 200 - CONCURRENCY);
    const releasing = setInterval(slow.release, 20);
    await untilAll('completed', 200).finally(() => clearInterval(releasing));
  });

  it('are tried again by themselves when their call fails', async () => {
    const { ids, product } = await sell(20);
    const failures = new Map<number, number>();
    await start((id) => {
      const failed = failures.get(id) ?? 0;
      if (id % 2 === 0 || failed === 2) return Promise.resolve();
      failures.set(id, failed + 1);
      return Promise.reject(new Error('busy'));
    });
    await dispatch(ids);
    await untilAll('completed', 20);
    expect(await stockOf(product)).toBe(0);
    expect(await causesOf(ids.find((id) => id % 2 === 0))).toEqual(['bought', 'attempt 1', 'fulfilled']);
    expect(await causesOf(ids.find((id) => id % 2 === 1))).toEqual([
      'bought',
      'attempt 1',
      'attempt 2',
      'attempt 3',
      'fulfilled',
    ]);
  });

  it('stay under way when the queue refuses the job of one that failed, which is left to the sweep', async () => {
    const { ids } = await sell(5);
    const [failing] = ids;
    const { underWay, fulfil, release } = hold();
    let isBusy = true;
    const worker = await start((id) => (isBusy && id === failing ? Promise.reject(new Error('busy')) : fulfil(id)));
    const jobsOfWorker = worker.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
    let refused = 0;
    jobsOfWorker.addBulk = () => Promise.reject(new Error(`Redis is full ${++refused}`));
    await dispatch(ids);
    await eventually(() => expect([underWay.size, refused]).toEqual([4, 1]));
    jobsOfWorker.addBulk = Object.getPrototypeOf(jobsOfWorker).addBulk;
    const sweep = worker.get(OrderSweep, { strict: false });
    expect([await dispatches().getActiveCount(), await sweep.sweep()]).toEqual([1, 0]);
    release();
    await untilAll('completed', 4);
    await eventually(async () => expect(await dispatches().getCompletedCount()).toBe(1));
    isBusy = false;
    expect(await sweep.sweep()).toBe(1);
    await eventually(() => expect(underWay.size).toBe(1));
    release();
    await untilAll('completed', 5);
  });

  it('fail after as many attempts as any other order, with their stock back once', async () => {
    const { ids, product } = await sell(5);
    let calls = 0;
    await start(() => Promise.reject(new Error(`no ${++calls}`)));
    await dispatch(ids);
    await untilAll('failed', 5);
    expect([calls, await stockOf(product)]).toEqual([5 * 3, 5]);
    await eventually(async () => expect(await queue().getFailedCount()).toBe(5));
  });

  it('fail at once when they have one attempt only', async () => {
    await close();
    await open({ ORDER_ATTEMPTS: '1' });
    const { ids, product } = await sell(5);
    let calls = 0;
    await start(() => Promise.reject(new Error(`no ${++calls}`)));
    await dispatch(ids);
    await untilAll('failed', 5);
    expect([calls, await stockOf(product), await jobs()]).toEqual([5, 5, 0]);
  });

  it('fail at once when the fault is a permanent one', async () => {
    const { ids, product } = await sell(5);
    let calls = 0;
    await start(() => {
      calls++;
      return Promise.reject(new PermanentFulfilmentError('the card is stolen'));
    });
    await dispatch(ids);
    await untilAll('failed', 5);
    expect([calls, await stockOf(product), await jobs()]).toEqual([5, 5, 0]);
  });

  it('get a job each when their worker stops and their calls do not end, and lose no attempt', async () => {
    const { ids } = await sell(CONCURRENCY - 1);
    const { underWay, fulfil } = hold();
    const worker = await start(fulfil);
    await dispatch(ids);
    await eventually(() => expect(underWay.size).toBe(CONCURRENCY - 1));
    await worker.close();
    workers.splice(0);
    expect(await queue().getWaitingCount()).toBe(CONCURRENCY - 1);

    await start(() => Promise.resolve());
    await untilAll('completed', CONCURRENCY - 1);
    expect(await causesOf(ids[0])).toEqual(['bought', 'attempt 1', 'attempt 2', 'fulfilled']);
  });

  describe('meet a sweep, which', () => {
    it('leaves those alone that are being worked on', async () => {
      const { ids } = await sell(5);
      const { underWay, fulfil, release } = hold();
      const worker = await start(fulfil);
      await dispatch(ids);
      await eventually(() => expect(underWay.size).toBe(5));
      expect(await worker.get(OrderSweep, { strict: false }).sweep()).toBe(0);
      release();
      await untilAll('completed', 5);
    });

    it('comes upon none that has no job of its own', async () => {
      const product = await api.createProduct({ stock: 50 });
      await Promise.all(Array.from({ length: 50 }, () => api.post('/orders', { product_id: product })));
      await eventually(async () => expect(await queue().getWaitingCount()).toBe(50));
      expect(await dispatches().getJobCountByTypes('waiting', 'completed')).toBe(0);
      const worker = await start(() => Promise.resolve());
      await worker.get(OrderSweep, { strict: false }).sweep();
      await untilAll('completed', 50);
    });

    /** Rows alone, as many as it takes. */
    const insert = async (count: number): Promise<number[]> => {
      const { rows } = await environment.sql.query<{ id: string }>(
        'INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, $1) RETURNING id',
        [count],
      );
      return rows.map(({ id }) => Number(id));
    };

    it('leaves those alone that wait, however many, and takes them up when their jobs are lost', async () => {
      const ids = await insert(600);
      await dispatches().pause();
      await dispatches().addBulk(ids.map((id) => dispatchJob([id])));
      const worker = await start(() => Promise.resolve());
      const sweep = worker.get(OrderSweep, { strict: false });
      expect(await sweep.sweep()).toBe(0);
      await dispatches().obliterate({ force: true });
      expect(await sweep.sweep()).toBe(600);
      await untilAll('completed', 600);
    });

    it('leaves those alone that are dispatched while it runs', async () => {
      await insert(600);
      await dispatches().pause();
      const worker = await start(() => Promise.resolve());
      const jobsOfWorker = worker.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
      jobsOfWorker.addBulk = async (added) => {
        jobsOfWorker.addBulk = Object.getPrototypeOf(jobsOfWorker).addBulk;
        await dispatch(await insert(5));
        return jobsOfWorker.addBulk(added);
      };
      expect(await worker.get(OrderSweep, { strict: false }).sweep()).toBe(600);
      await untilAll('completed', 600);
      await untilAll('pending', 5);
    });
  });
});

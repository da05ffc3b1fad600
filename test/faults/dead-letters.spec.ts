import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { LIMITS } from '../../src/config/limits.js';
import { OrderSweep } from '../../src/orders/processing/order-sweep.js';
import { jobIdOf, ORDERS_QUEUE } from '../../src/orders/processing/order-jobs.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { startRole } from '../support/role-process.js';
import { startWorker } from '../support/worker.js';

const execute = promisify(execFile);

describe('orders whose workers die again and again', () => {
  useLimits({ jobLockMs: 2_500, stalledCheckMs: 300 });
  let environment: Environment;
  let api: Api;

  beforeAll(async () => {
    environment = await createEnvironment({ SWEEP_INTERVAL_MS: '3600000', SWEEP_AFTER_MS: '0' });
    api = await startApi(environment.config);
  });

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  const queue = () => api.app.get<Queue>(getQueueToken(ORDERS_QUEUE), { strict: false });
  const attemptsOf = async (ids: readonly number[]) => {
    const { rows } = await environment.sql.query(
      `SELECT count(*)::int AS attempts FROM order_events WHERE status = 'processing' AND order_id = ANY ($1)`,
      [ids],
    );
    return rows[0].attempts as number;
  };
  const operator = async (flag: string) => {
    const env = { PATH: process.env.PATH, ...environment.variables };
    return (await execute(process.execPath, ['dist/src/main.js', flag], { env })).stdout;
  };
  /** A worker that is killed while it works on all of the orders. */
  const loseWorker = async (ids: readonly number[]) => {
    const before = await attemptsOf(ids);
    const worker = startRole(['--worker'], { ...environment.variables, ORDER_PROCESSING_DELAY_MS: '600000' });
    try {
      await eventually(async () => {
        const failed = await queue().getFailedCount();
        expect((await attemptsOf(ids)) - before >= ids.length || failed === ids.length).toBe(true);
      });
    } finally {
      await worker.end('SIGKILL');
    }
  };

  it('are left to an operator, who sees them and dispatches them again, but for those that have ended', async () => {
    const product = await api.createProduct();
    const ids: number[] = [];
    for (let order = 0; order < 2; order++) ids.push((await api.post('/orders', { product_id: product })).body.id);
    let lost = 0;
    while ((await queue().getFailedCount()) < ids.length) {
      await loseWorker(ids);
      lost++;
      expect(lost).toBeLessThanOrEqual(LIMITS.stalls + 3);
    }
    expect(lost).toBeGreaterThan(LIMITS.stalls);
    expect((await queue().getJob(jobIdOf(ids[0] ?? 0)))?.failedReason).toContain('stalled');

    const worker = await startWorker(environment.config);
    try {
      expect(await worker.get(OrderSweep, { strict: false }).run()).toBe(0);
      expect(await queue().getFailedCount()).toBe(2);
      await api.post(`/orders/${ids[1]}/cancel`);
      const shown = await operator('--dead-letters');
      expect(shown).toMatch(new RegExp(`^${ids[0]} .*job stalled more than allowable limit$`, 'm'));
      expect(shown.trim().split('\n')).toHaveLength(2);
      expect(await operator('--redrive')).toContain('1 orders were dispatched again');
      await eventually(async () => expect((await api.get(`/orders/${ids[0]}/status`)).body.status).toBe('completed'));
      expect(await operator('--dead-letters')).toBe('There are no dead letters\n');
    } finally {
      await worker.close();
    }
  }, 120_000);
});

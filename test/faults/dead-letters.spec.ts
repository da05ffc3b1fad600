import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
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
import { type RoleProcess, startRole } from '../support/role-process.js';
import { startWorker } from '../support/worker.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);

/** An order of two ends the process of its worker, while the others are under way. */
const POISON_PLUGIN = `
  const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
  export default {
    name: 'poison',
    fulfilment: {
      fulfil: async ({ items: [{ quantity }] }) => {
        await sleep(quantity === 2 ? 300 : 1000);
        if (quantity === 2) process.kill(process.pid, 'SIGKILL');
        return { outcome: 'done' };
      },
      cancel: () => Promise.resolve(),
    },
  };
`;

describe('orders whose workers die again and again', () => {
  useLimits({ jobLockMs: 2_500, stalledCheckMs: 300 });
  let environment: Environment;
  let api: Api;
  const workers: RoleProcess[] = [];
  const start = (flags: readonly string[], variables: Record<string, string> = {}) => {
    const worker = startRole(['--worker', ...flags], { ...environment.variables, ...variables });
    workers.push(worker);
    return worker;
  };

  beforeAll(async () => {
    environment = await createEnvironment({ SWEEP_INTERVAL_MS: '3600000', SWEEP_AFTER_MS: '0' });
    api = await startApi(environment.config);
  });

  /** Also after a test that has failed: a worker that is left takes the jobs of the tests after it. */
  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL'))));

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
    const env = { ...BASE_ENVIRONMENT, ...environment.variables };
    const outcome: { code?: number; stdout: string } = await execute(process.execPath, ['dist/src/main.js', flag], {
      env,
    }).catch((error: unknown) => error as { code: number; stdout: string });
    return { code: outcome.code ?? 0, stdout: outcome.stdout };
  };
  /** A worker that is killed while it works on one of the orders or more: those that are suspected already are tried alone. */
  const loseWorker = async (ids: readonly number[]) => {
    const before = await attemptsOf(ids);
    const worker = start([], { ORDER_PROCESSING_DELAY_MS: '600000' });
    try {
      await eventually(async () => {
        const failed = await queue().getFailedCount();
        expect((await attemptsOf(ids)) > before || failed === ids.length).toBe(true);
      }, 60_000);
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
      // At worst each is alone whenever its worker dies.
      expect(lost).toBeLessThanOrEqual(ids.length * (LIMITS.stalls + 1) + 2);
    }
    expect(lost).toBeGreaterThan(LIMITS.stalls);
    expect((await queue().getJob(jobIdOf(ids[0] ?? 0)))?.failedReason).toContain('stalled');

    const worker = await startWorker(environment.config);
    try {
      expect(await worker.get(OrderSweep, { strict: false }).sweep()).toBe(0);
      expect(await queue().getFailedCount()).toBe(2);
      await api.post(`/orders/${ids[1]}/cancel`);
      const shown = await operator('--dead-letters');
      expect(shown.code).toBe(1);
      expect(shown.stdout).toMatch(new RegExp(`^${ids[0]} .*job stalled more than allowable limit$`, 'm'));
      expect(shown.stdout.trim().split('\n')).toHaveLength(2);
      expect((await operator('--redrive')).stdout).toContain('1 orders were dispatched again');
      await eventually(async () => expect((await api.get(`/orders/${ids[0]}/status`)).body.status).toBe('completed'));
      expect(await operator('--dead-letters')).toEqual({ code: 0, stdout: 'There are no dead letters\n' });
    } finally {
      await worker.close();
    }
  }, 300_000);

  it('do not take along the orders that were under way with them', async () => {
    const folder = await mkdtemp(path.join(tmpdir(), 'poison-'));
    const plugin = path.join(folder, 'poison.mjs');
    await writeFile(plugin, POISON_PLUGIN);
    const product = await api.createProduct({ stock: 100 });
    const bought = await Promise.all(
      Array.from({ length: 9 }, async (_, order) =>
        api.post('/orders', { product_id: product, quantity: order === 4 ? 2 : 1 }),
      ),
    );
    const poison = bought[4]?.body.id as number;
    const others = bought.map(({ body }) => body.id as number).filter((id) => id !== poison);
    const statusOf = async (id: number) => (await api.get(`/orders/${id}/status`)).body.status as string;
    const hasFailed = async (id: number) => (await queue().getJob(jobIdOf(id)))?.failedReason !== undefined;
    const isCompleted = (status: string) => status === 'completed';
    const supervise = async () => {
      for (;;) {
        const worker = start(['--plugin', plugin]);
        const isDone = async () =>
          (await hasFailed(poison)) && (await Promise.all(others.map(statusOf))).every(isCompleted);
        await eventually(async () => expect(isGone(worker.pid) || (await isDone())).toBe(true), 100_000);
        const hasEnded = isGone(worker.pid);
        if (!hasEnded)
          await eventually(() =>
            expect(worker.log()).toMatch(new RegExp(`"order_id":${poison}\\b.*The order is a dead letter`)),
          );
        await worker.end('SIGKILL');
        if (!hasEnded) return;
      }
    };
    await supervise().finally(() => rm(folder, { recursive: true }));

    expect(await statusOf(poison)).toBe('processing');
    expect(await Promise.all(others.map(hasFailed))).toEqual(others.map(() => false));
    const events = (await api.get(`/orders/${poison}/events`)).body.items as { cause: string }[];
    expect(events.map(({ cause }) => cause)).toEqual([
      'bought',
      ...events.slice(1).map((_, attempt) => `attempt ${attempt + 1}`),
    ]);
    expect(events.length).toBeGreaterThan(LIMITS.stalls + 1);
  }, 240_000);
});

function isGone(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return false;
  } catch {
    return true;
  }
}

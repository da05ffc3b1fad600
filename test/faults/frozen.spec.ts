import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { type RoleProcess, startRole } from '../support/role-process.js';

const STALL_MS = 3_000;

/** An order of two turns in a circle for ever. */
const STUCK_PLUGIN = `
  export default {
    name: 'stuck',
    fulfilment: {
      fulfil: async ({ items: [{ quantity }] }) => {
        while (quantity === 2);
        return { outcome: 'done' };
      },
      cancel: () => Promise.resolve(),
    },
  };
`;

describe('a worker that does not move', () => {
  useLimits({
    heartbeatMs: 300,
    workerSilenceMs: 1_500,
    eventLoopStallMs: STALL_MS,
    jobLockMs: 2_500,
    stalledCheckMs: 300,
  });
  let environment: Environment;
  let api: Api;
  let folder: string;
  const workers: RoleProcess[] = [];

  beforeAll(async () => {
    environment = await createEnvironment({
      SWEEP_INTERVAL_MS: '300',
      SWEEP_AFTER_MS: '500',
      ORDER_PROCESSING_DELAY_MS: '0',
    });
    api = await startApi(environment.config);
    folder = await mkdtemp(path.join(tmpdir(), 'stuck-'));
    await writeFile(path.join(folder, 'stuck.mjs'), STUCK_PLUGIN);
  });

  afterEach(() => Promise.all(workers.splice(0).map((worker) => worker.end('SIGKILL'))));

  afterAll(async () => {
    await api.close();
    await environment.close();
    await rm(folder, { recursive: true });
  });

  const start = (...flags: string[]) => {
    const worker = startRole(['--worker', ...flags], environment.variables);
    workers.push(worker);
    return worker;
  };
  const registered = async () =>
    (await api.get('/ops/workers')).body.items as { id: string; seen_at: string; in_flight: number }[];
  const isSilent = ({ seen_at }: { seen_at: string }) => Date.now() - Date.parse(seen_at) > 1_500;

  it('because its event loop is stuck ends itself, so that a supervisor can start another one', async () => {
    const product_id = await api.createProduct();
    const worker = start('--plugin', path.join(folder, 'stuck.mjs'));
    await eventually(async () => expect(await registered()).toHaveLength(1));
    await api.post('/orders', { product_id, quantity: 2 });
    await eventually(() => expect(worker.log()).toContain('The event loop has not turned for 3 s'), 20_000);
    expect(await worker.end('SIGCONT')).toBe('SIGKILL');
  }, 60_000);

  it('because it is stopped as a whole is seen, is replaced in what one worker does for all, and lives on', async () => {
    await environment.sql.query('DELETE FROM workers');
    const frozen = start();
    await eventually(async () => expect(await registered()).toHaveLength(1));
    const second = start();
    await eventually(async () => expect(await registered()).toHaveLength(2));
    process.kill(frozen.pid, 'SIGSTOP');
    await eventually(async () => expect((await registered()).map(isSilent)).toEqual([true, false]), 20_000);
    // An order without a job: only a sweep finds it, and the frozen worker has swept for all.
    const { rows } = await environment.sql.query('INSERT INTO orders (total_price) VALUES (1) RETURNING id');
    const status = async () => (await api.get(`/orders/${rows[0].id}/status`)).body.status;
    await eventually(async () => expect(await status()).toBe('completed'), 20_000);
    await delay(STALL_MS);

    process.kill(frozen.pid, 'SIGCONT');
    await eventually(async () => expect((await registered()).map(isSilent)).toEqual([false, false]), 20_000);
    expect(frozen.log()).not.toContain('The event loop');
    expect(await second.end('SIGTERM')).toBe(0);
    expect(await frozen.end('SIGTERM')).toBe(0);
    expect(await registered()).toEqual([]);
  }, 90_000);
});

import { setTimeout as delay } from 'node:timers/promises';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { type RoleProcess, startRole } from '../support/role-process.js';

const BUYERS = 16;
/** How often the load balancer asks who is ready: several times within `SHUTDOWN_DELAY_MS`, which is the default. */
const PROBE_INTERVAL_MS = 100;

interface Backend {
  url: string;
  process: RoleProcess;
  isReady: boolean;
}

/** Two API processes behind a load balancer that asks who is ready, two workers, and buyers who never pause. */
describe('a rolling restart', () => {
  let environment: Environment;
  let backends: Backend[];
  let workers: RoleProcess[];
  let isOpen = true;
  const running: Promise<unknown>[] = [];

  beforeAll(async () => {
    environment = await createEnvironment();
    backends = await Promise.all([startApi(), startApi()]);
    workers = [startWorker(), startWorker()];
    running.push(probe());
    await eventually(() => expect(backends.every(({ isReady }) => isReady)).toBe(true));
  }, 60_000);

  afterAll(async () => {
    isOpen = false;
    await Promise.all(running);
    await Promise.all([...backends.map(({ process }) => process), ...workers].map((each) => each.end('SIGKILL')));
    await environment.close();
  });

  const startApi = async (): Promise<Backend> => {
    const process = startRole([], environment.variables);
    return { url: `${await process.url()}/api/v1`, process, isReady: false };
  };
  const startWorker = () => startRole(['--worker'], { ...environment.variables, ORDER_PROCESSING_DELAY_MS: '100' });
  const probe = async () => {
    while (isOpen) {
      await Promise.all(
        backends.map(async (backend) => {
          backend.isReady = await fetch(`${backend.url}/health/ready`).then(
            ({ ok }) => ok,
            () => false,
          );
        }),
      );
      await delay(PROBE_INTERVAL_MS);
    }
  };
  let turn = 0;
  const send = async (path: string, body: unknown) => {
    const ready = backends.filter(({ isReady }) => isReady);
    const backend = ready[turn++ % ready.length];
    if (backend === undefined) throw new Error('Nobody is ready');
    const response = await fetch(`${backend.url}${path}`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify(body),
    });
    return { status: response.status, body: (await response.json()) as { id: number } };
  };

  it('fails no request and lets no job stall', async () => {
    const product_id = (await send('/products', { name: 'Rolling', price: 1, stock: 1_000_000 })).body.id;
    const failures: unknown[] = [];
    const ids: number[] = [];
    let isSelling = true;
    const buyers = Array.from({ length: BUYERS }, async () => {
      while (isSelling) {
        await send('/orders', { product_id }).then(
          ({ status, body }) => (status === 201 ? ids.push(body.id) : failures.push(status)),
          (error: unknown) => failures.push(error),
        );
        await delay(10);
      }
    });

    for (const index of [0, 1]) {
      const old = backends[index];
      const oldWorker = workers[index];
      const stopping = old?.process.end('SIGTERM');
      await eventually(async () => {
        const { status, headers } = await fetch(`${old?.url}/health/ready`);
        expect([status, headers.get('Connection')]).toEqual([503, 'close']);
      });
      expect((await fetch(`${old?.url}/health`)).status).toBe(200);
      expect(await stopping).toBe(0);
      backends[index] = await startApi();
      await eventually(() => expect(backends[index]?.isReady).toBe(true));
      expect(await oldWorker?.end('SIGTERM')).toBe(0);
      workers[index] = startWorker();
    }
    isSelling = false;
    await Promise.all(buyers);

    expect(failures).toEqual([]);
    expect(ids.length).toBeGreaterThan(100);
    await eventually(async () => {
      const { rows } = await environment.sql.query(`SELECT status, count(*)::int FROM orders GROUP BY status`);
      expect(rows).toEqual([{ status: 'completed', count: ids.length }]);
    }, 40_000);
    const { rows } = await environment.sql.query(
      `SELECT order_id FROM order_events WHERE status = 'processing' GROUP BY order_id HAVING count(*) > 1`,
    );
    expect(rows).toEqual([]);
  }, 120_000);
});

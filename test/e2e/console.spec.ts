import { randomUUID } from 'node:crypto';
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { loadConfig } from '../../src/config/config.js';
import { SCOPES } from '../../src/kernel/access/scopes.js';
import { createClient, startApi } from '../support/api.js';
import { eventually } from '../support/eventually.js';
import { startRole } from '../support/role-process.js';
import { startWorker } from '../support/worker.js';
import { useApi } from '../support/use-api.js';

const execute = promisify(execFile);
const BEHIND_A_PROXY = { 'X-Forwarded-For': '192.0.2.1' };
const { environment, api } = useApi();

const actions = async () =>
  (await api.get('/actions?page_size=100')).body.items
    .filter(({ type }: { type: string }) => !type.startsWith('product.'))
    .map(({ type, details, request_id }: { type: string; details: object; request_id: string }) => ({
      type,
      details,
      request_id,
    }));

describe('what the console asks', () => {
  it('tells what the caller may do, and where the dashboard is', async () => {
    expect((await api.get('/ops/console')).body).toEqual({
      name: 'Order System',
      version: '1.0.0',
      actor: null,
      scopes: SCOPES,
      flash_sale: false,
      kill_worker: false,
      dashboard_url: null,
      dashboard_port: 0,
    });
    const variables = { ...environment.variables, DASHBOARD_PUBLIC_URL: 'https://shop.example/jobs/' };
    const open = await startApi(loadConfig(variables, 'api'));
    const { body } = await open.get('/ops/console');
    expect(body).toMatchObject({ dashboard_url: 'https://shop.example/jobs' });
    await open.close();
  });

  it('cancels orders and adjusts stock with a record of who asked, in one transaction, once for each key', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { body: order } = await api.post('/orders', { product_id: product });
    const cancel = (headers: Record<string, string>) =>
      api.post(`/ops/orders/${order.id}/cancel`, { reason: 'bought twice' }, headers);
    const key = { 'Idempotency-Key': randomUUID() };
    const answers = [await cancel({ ...key, 'X-Request-Id': 'cancels' }), await cancel(key)];
    expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
      [200, 'cancelled'],
      [200, 'cancelled'],
    ]);
    expect(answers[1]?.headers.get('idempotent-replayed')).toBe('true');
    const adjusted = await api.post(
      `/ops/products/${product}/stock-adjustments`,
      { delta: 2, reason: 'found two', expected_stock: 5 },
      { 'X-Request-Id': 'adjusts' },
    );
    expect([adjusted.status, adjusted.body.stock_after]).toEqual([201, 7]);
    const recorded = [
      {
        type: 'stock.adjusted',
        details: { product_id: product, delta: 2, stock_after: 7, reason: 'found two' },
        request_id: 'adjusts',
      },
      { type: 'order.cancelled', details: { order_id: order.id, reason: 'bought twice' }, request_id: 'cancels' },
    ];
    expect(await actions()).toEqual(recorded);

    const refused = [
      await api.post(`/ops/products/${product}/stock-adjustments`, { delta: -8, reason: 'too many' }),
      await api.post(`/ops/products/${product}/stock-adjustments`, { delta: 1, reason: 'stale', expected_stock: 5 }),
      await api.post('/ops/orders/999999/cancel', { reason: 'x' }),
      await api.post(`/ops/orders/${order.id}/cancel`, { reason: 'x' }, BEHIND_A_PROXY),
      await api.post(`/ops/products/${product}/stock-adjustments`, { delta: 1, reason: 'x' }, BEHIND_A_PROXY),
    ];
    expect(refused.map(({ status }) => status)).toEqual([400, 409, 404, 401, 401]);
    // What clients do is no action of an operator.
    await api.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'delivery' });
    expect(await actions()).toEqual(recorded);
    const { body: events } = await api.get(`/orders/${order.id}/events`);
    expect(events.items.map(({ request_id }: { request_id: string }) => request_id)).toEqual([
      expect.any(String),
      'cancels',
    ]);
  });

  it('counts the jobs of each queue', async () => {
    const product = await api.createProduct({ stock: 5 });
    await api.post('/orders', { product_id: product });
    await eventually(async () => {
      const { body } = await api.get('/ops/queues');
      expect(body.items).toEqual([
        { name: 'orders', waiting: expect.any(Number), active: 0, delayed: 0, failed: 0 },
        { name: 'hand-over', waiting: expect.any(Number), active: 0, delayed: 0, failed: 0 },
      ]);
      const waiting = body.items.map((queue: { waiting: number }) => queue.waiting);
      expect(Math.max(...waiting)).toBeGreaterThan(0);
    });
  });

  it('has a worker audit, one audit at a time', async () => {
    for (let time = 0; time < 3; time++) {
      const { status, body } = await api.post('/ops/audit-runs', {});
      expect([status, body]).toEqual([202, { status: 'requested' }]);
    }
    expect((await api.post('/ops/audit-runs', {}, BEHIND_A_PROXY)).status).toBe(401);
    expect((await api.get('/ops/audit-runs')).body.items).toEqual([]);
    const worker = await startWorker(environment.config);
    await eventually(async () =>
      expect((await api.get('/ops/audit-runs')).body.items).toEqual([expect.objectContaining({ status: 'clean' })]),
    );
    await api.post('/ops/audit-runs', {});
    await eventually(async () => expect((await api.get('/ops/audit-runs')).body.items).toHaveLength(2));
    await worker.close();
    expect((await actions()).filter(({ type }: { type: string }) => type === 'audit.requested')).toHaveLength(4);
  }, 60_000);
});

it('the events of an order tell the request and the job that caused them', async () => {
  const product = await api.createProduct({ stock: 5 });
  const { body: order } = await api.post('/orders', { product_id: product }, { 'X-Request-Id': 'buys' });
  const worker = await startWorker(loadConfig({ ...environment.variables, ORDER_PROCESSING_DELAY_MS: '10' }, 'worker'));
  await eventually(async () => expect((await api.get(`/orders/${order.id}`)).body.status).toBe('completed'));
  await worker.close();
  const { body } = await api.get(`/orders/${order.id}/events`);
  expect(
    body.items.map(({ request_id, job_id }: { request_id: string; job_id: string }) => [request_id, job_id]),
  ).toEqual([
    ['buys', null],
    [null, expect.stringMatching(/^(hand-over|order)-\d+$/)],
    [null, null],
  ]);
}, 30_000);

describe('a flash sale', () => {
  it('is held only where somebody has switched it on', async () => {
    const { status, body } = await api.post('/ops/flash-sales', {});
    expect([status, body.code]).toEqual([403, 'FORBIDDEN']);
    expect(body.detail).toContain('DEMO=on');
    expect((await api.get('/ops/flash-sales')).body).toEqual({ items: [] });
  });

  it('is held once at a time, kills no worker that nobody starts again, and ends with the API', async () => {
    const role = startRole([], { ...environment.variables, DEMO: 'on' });
    const shop = createClient(await role.url());
    // Anybody may, where it is on.
    expect((await shop.get('/ops/console')).body).toMatchObject({ flash_sale: true });
    expect((await shop.post('/ops/flash-sales', { kill_worker: true })).status).toBe(403);
    expect((await shop.post('/ops/flash-sales', { kill_worker: 'yes' })).status).toBe(422);
    const key = { 'Idempotency-Key': randomUUID() };
    const started = await Promise.all([
      shop.post('/ops/flash-sales', {}, key),
      ...Array.from({ length: 4 }, () => shop.post('/ops/flash-sales')),
    ]);
    expect(started.map(({ status }) => status).sort()).toEqual([202, 409, 409, 409, 409]);
    expect(started.find(({ status }) => status === 409)?.body.code).toBe('FLASH_SALE_RUNNING');
    const sale = async () => (await shop.get('/ops/flash-sales')).body.items[0];
    // There is no worker: nothing is processed, and the sale waits for it.
    await eventually(async () => expect((await sale()).step).toBe('processing'), 30_000);
    expect(await sale()).toMatchObject({
      buyers: 500,
      units: 100,
      sold: 100,
      refused: 400,
      retries: expect.any(Number),
      unanswered: 0,
      completed: 0,
    });
    const { samples, p99_seconds, sale_seconds } = await sale();
    expect(p99_seconds).toBeLessThanOrEqual(sale_seconds);
    expect(samples[0]).toMatchObject({ stock: 100 });
    expect(samples.at(-1)).toMatchObject({ stock: 0, completed: 0 });
    const buyers = async () =>
      (await execute('pgrep', ['-P', String(role.pid)]).catch(() => ({ stdout: '' }))).stdout.trim();
    expect(await buyers()).not.toBe('');
    const pid = await buyers();
    await role.end('SIGTERM');
    await eventually(async () =>
      expect((await execute('ps', ['-o', 'pid=', '-p', pid]).catch(() => ({ stdout: '' }))).stdout.trim()).toBe(''),
    );
  }, 60_000);
});

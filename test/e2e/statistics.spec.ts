import { PURCHASE_OUTCOMES } from '../../src/statistics/process-counts.js';
import { allMetrics } from '../../src/telemetry/metrics.js';
import { createClient } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { type RoleProcess, startRole } from '../support/role-process.js';
import '../../src/orders/metrics/purchase-metrics.js';

describe('the statistics', () => {
  let environment: Environment;
  const roles: RoleProcess[] = [];

  beforeAll(async () => {
    environment = await createEnvironment();
  }, 60_000);

  afterAll(async () => {
    await Promise.all(roles.splice(0).map((role) => role.end('SIGKILL')));
    await environment.close();
  });

  const start = (flags: string[] = []) => {
    const role = startRole(flags, { ...environment.variables, ORDER_PROCESSING_DELAY_MS: '10' });
    roles.push(role);
    return role;
  };
  const totalOf = (items: readonly Record<string, number>[], name: string) =>
    items.reduce((sum, item) => sum + (item[name] ?? 0), 0);

  it('add up what all processes did, and outlive them', async () => {
    const [first, second, worker] = [start(), start(), start(['--worker'])];
    const [one, other] = [createClient(await first.url()), createClient(await second.url())];
    const product = await one.createProduct({ stock: 12 });
    const bought = await Promise.all([
      ...Array.from({ length: 6 }, () => one.post('/orders', { product_id: product })),
      ...Array.from({ length: 6 }, () => other.post('/orders', { product_id: product })),
    ]);
    expect(new Set(bought.map(({ status }) => status))).toEqual(new Set([201]));
    await other.post('/orders', { product_id: product });
    await one.post('/orders', { product_id: 999_999 });
    await one.get(`/products/${product}/cached`);
    await one.get(`/products/${product}/cached`);

    const expectTotals = async () => {
      const { status, body } = await other.get('/ops/stats');
      expect(status).toBe(200);
      expect(
        totalOf(
          body.items.map(({ purchases }: { purchases: object }) => purchases),
          'sold',
        ),
      ).toBe(12);
      expect(
        totalOf(
          body.items.map(({ purchases }: { purchases: object }) => purchases),
          'short',
        ),
      ).toBe(1);
      expect(
        totalOf(
          body.items.map(({ purchases }: { purchases: object }) => purchases),
          'not_found',
        ),
      ).toBe(1);
      expect(totalOf(body.items, 'completed')).toBe(12);
      expect(
        totalOf(
          body.items.map(({ errors }: { errors: object }) => errors),
          'PRODUCT_NOT_FOUND',
        ),
      ).toBe(1);
      expect(body.items.at(-1).pool_usage).toBeGreaterThanOrEqual(0);
      expect(body.items.at(-1).pool_usage).toBeLessThanOrEqual(1);
      expect(totalOf(body.items, 'stock_outs')).toBe(1);
      expect(totalOf(body.items, 'cache_hits') + totalOf(body.items, 'cache_misses')).toBe(2);
      const last = body.items.findLast(
        (item: { purchase_p99_seconds: number | null }) => item.purchase_p99_seconds !== null,
      );
      expect(last.purchase_p99_seconds).toBeGreaterThan(0);
      expect(last.purchase_p50_seconds).toBeLessThanOrEqual(last.purchase_p99_seconds);
      expect(totalOf(body.items, 'completion_p99_seconds')).toBeGreaterThan(0);
    };
    await eventually(expectTotals, 20_000);

    // What the last two seconds brought is recorded by a stop, and all of it is there for the next process.
    await one.post('/orders', { product_id: 999_999 });
    for (const role of [first, worker]) expect(await role.end('SIGTERM')).toBe(0);
    const { body } = await other.get('/ops/stats');
    expect(
      totalOf(
        body.items.map(({ purchases }: { purchases: object }) => purchases),
        'not_found',
      ),
    ).toBe(2);
  }, 60_000);

  it('tell of the backlog and of the version that recorded them', async () => {
    const api = createClient(await start().url());
    await eventually(async () => {
      const { body } = await api.get('/ops/stats?step=3600');
      expect(body.items.at(-1)).toMatchObject({ open_orders: 0, oldest_open_age_seconds: 0, version: '1.0.0' });
    }, 30_000);
  }, 60_000);

  it('cover the time that is asked for, in whole steps', async () => {
    const api = createClient(await start().url());
    await environment.sql.query('DELETE FROM minute_statistics');
    await environment.sql.query(`
      INSERT INTO minute_statistics
      SELECT moment, ARRAY[60, 1, 0, 0, 0, 0, 0], array_fill(0, ARRAY[14]), 2, 0, array_fill(0, ARRAY[18]), 0, 0, 0, 0,
             extract(minute FROM moment), extract(minute FROM moment), '1.0.0', moment + interval '59 seconds',
             '{"OVERLOADED": 2, "NOT_FOUND": 1}', extract(minute FROM moment) / 10,
             extract(minute FROM moment), extract(minute FROM moment) < 5
      FROM generate_series('2026-01-15T10:00:00Z'::timestamptz, '2026-01-15T10:09:00Z', '1 minute') AS moment`);
    const { body } = await api.get('/ops/stats?from=2026-01-15T10:01:30Z&to=2026-01-15T10:08:00Z&step=300');
    expect(body).toMatchObject({ from: '2026-01-15T10:00:00.000Z', to: '2026-01-15T10:08:00.000Z', step: 300 });
    expect(body.items).toEqual([
      expect.objectContaining({
        at: '2026-01-15T10:00:00.000Z',
        seconds: 299,
        purchases: { sold: 300, short: 5, not_found: 0, invalid: 0, overloaded: 0, unavailable: 0, replayed: 0 },
        completed: 10,
        open_orders: 4,
        oldest_open_age_seconds: 4,
        purchase_p99_seconds: null,
        errors: { OVERLOADED: 10, NOT_FOUND: 5 },
        pool_usage: 0.4,
        workers_alive: 0,
        queue_available: true,
      }),
      expect.objectContaining({
        at: '2026-01-15T10:05:00.000Z',
        seconds: 239,
        completed: 8,
        open_orders: 8,
        workers_alive: 5,
        queue_available: false,
      }),
    ]);
    expect(body.items[0].purchases_per_second).toBeCloseTo(300 / 299, 5);
  }, 60_000);

  it.each([
    ['step=90', 'step must be whole minutes'],
    ['step=59', 'step must be a whole number from 60 to 86400'],
    ...[
      'yesterday',
      '2026-W05',
      '2026-015',
      '20260115T103000Z',
      '2026-01-15',
      '2026-01-15T10:30:00',
      '2026-01-15T10Z',
    ].map((from) => [`from=${from}`, 'from must be a moment like 2026-01-15T10:30:00Z']),
    ...['2026-02-30T00:00:00Z', '2026-13-01T00:00:00Z', '2026-01-15T25:00:00Z', '2026-01-15T10:30:00,5Z'].map((to) => [
      `to=${to}`,
      'to must be a moment like 2026-01-15T10:30:00Z',
    ]),
    ['from=2026-01-16T00:00:00Z&to=2026-01-15T00:00:00Z', 'from must not be after to'],
    ['from=2025-01-15T00:00:00Z&to=2026-01-15T00:00:00Z', 'step must be so large that there are at most 1500 steps'],
  ])('refuse %s', async (query, message) => {
    const api = createClient(await (roles.at(-1) ?? start()).url());
    const { status, body } = await api.get(`/ops/stats?${query}`);
    expect([status, body.errors[0].message]).toEqual([422, message]);
  });

  it('know every outcome of the metric that they are read from', () => {
    const outcomes = allMetrics().find(({ name }) => name === 'purchases_total')?.labels.outcome;
    expect(outcomes).toEqual(PURCHASE_OUTCOMES);
  });
});

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { getQueueToken } from '@nestjs/bullmq';
import type { Queue } from 'bullmq';
import { AuditService } from '../../src/audit/audit.service.js';
import type { FindingName } from '../../src/audit/audit-run.js';
import { AUDIT_QUEUE, NIGHTLY_AUDIT } from '../../src/audit/audit-jobs.js';
import { LIMITS } from '../../src/config/limits.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { setLimits } from '../support/limits.js';
import { startWorker } from '../support/worker.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const execute = promisify(execFile);

describe('the audit', () => {
  let environment: Environment;
  let api: Api;
  let product: number;
  const orders: number[] = [];

  beforeEach(async () => {
    environment = await createEnvironment({ ORDER_ATTEMPTS: '1' });
    api = await startApi(environment.config);
    product = await api.createProduct({ stock: 100 });
    const other = await api.createProduct({ stock: 0 });
    await api.post(`/products/${other}/stock-adjustments`, { delta: 7, reason: 'delivery' });
    orders.length = 0;
    for (let n = 0; n < 6; n++) {
      const items = [{ product_id: product, quantity: 2 }, { product_id: other }];
      orders.push((await api.post('/orders', { items })).body.id);
    }
    await api.post(`/orders/${orders[0]}/cancel`);
    await api.put(`/products/${product}`, { stock: 2_147_483_647 });
    await api.post(`/orders/${orders[1]}/cancel`);
    await api.delete(`/products/${other}`);
  });

  afterEach(async () => {
    await api.close();
    await environment.close();
  });

  /** As `npm run audit` runs it. */
  const audit = async (...flags: string[]) => {
    const env = { ...BASE_ENVIRONMENT, DATABASE_URL: environment.variables.DATABASE_URL };
    const run = execute(process.execPath, ['dist/src/main.js', '--audit', ...flags], { env });
    return run.then(
      ({ stdout, stderr }) => ({ code: 0, stdout, stderr }),
      (error: unknown) => error as { code: number; stdout: string; stderr: string },
    );
  };
  /** As somebody does who gets round every trigger. */
  const tamper = (statement: string) =>
    environment.sql.query(`SET session_replication_role = replica; ${statement}; RESET session_replication_role`);

  it('finds nothing off where nothing is, and the API tells of it', async () => {
    expect((await api.get('/health/audit')).body).toMatchObject({
      status: 'never_run',
      started_at: null,
      findings: [],
    });
    const { code, stdout } = await audit();
    expect([code, stdout]).toEqual([
      0,
      expect.stringMatching(/^✓ 2 products, 6 orders and \d+ stock movements .*all agree\n$/),
    ]);
    const { status, body } = await api.get('/health/audit');
    expect([status, body]).toEqual([
      200,
      {
        status: 'clean',
        started_at: expect.stringMatching(/Z$/),
        finished_at: expect.stringMatching(/Z$/),
        products: 2,
        orders: 6,
        movements: 20,
        findings: [],
      },
    ]);
  });

  /** What somebody did to the order, or to the product of it. */
  interface Tampering {
    statement: (ids: { product: number; order: number; cancelled: number }) => string;
    of: 'product' | 'order' | 'both' | 'cancelled';
  }
  const TAMPERINGS: Record<FindingName, Tampering> = {
    STOCK_DIFFERS: {
      statement: ({ product: id }) => `UPDATE products SET stock = stock - 1 WHERE id = ${id}`,
      of: 'product',
    },
    LEDGER_BROKEN: {
      statement: ({ product: id }) =>
        `UPDATE stock_movements SET stock_after = 1 WHERE product_id = ${id} AND kind = 'initial'`,
      of: 'product',
    },
    WITHOUT_ITEMS: { statement: ({ order }) => `DELETE FROM order_items WHERE order_id = ${order}`, of: 'order' },
    SALE_WITHOUT_ITEM: {
      statement: ({ product: id, order }) => `DELETE FROM order_items WHERE order_id = ${order} AND product_id = ${id}`,
      of: 'both',
    },
    ITEM_WITHOUT_SALE: {
      statement: ({ product: id, order }) =>
        `UPDATE order_items SET quantity = 3 WHERE order_id = ${order} AND product_id = ${id}`,
      of: 'both',
    },
    END_WITHOUT_RELEASE: {
      statement: ({ order }) => `UPDATE orders SET status = 'failed' WHERE id = ${order}`,
      of: 'both',
    },
    RELEASE_WITHOUT_END: {
      statement: ({ cancelled }) => `UPDATE orders SET status = 'pending' WHERE id = ${cancelled}`,
      of: 'cancelled',
    },
  };

  it('keeps its last 400 runs', async () => {
    await environment.sql.query(
      `INSERT INTO audit_runs (started_at, products, orders, movements, findings) SELECT now(), 0, 0, 0, '[]' FROM generate_series(1, 500)`,
    );
    await audit();
    expect((await environment.sql.query('SELECT count(*)::int AS runs FROM audit_runs')).rows).toEqual([{ runs: 401 }]);
  });

  describe('with --repair', () => {
    const REASON = ['--repair', '--reason', 'the disk was restored by hand'];

    const findings = async () => {
      const run = await api.app.get(AuditService, { strict: false }).run();
      return run.findings.map(({ finding }) => finding);
    };

    it.each([
      ['a stock that somebody has changed', () => `UPDATE products SET stock = 5 WHERE id = ${product}`, false],
      ['a stock that was adjusted after that', () => `UPDATE products SET stock = 5 WHERE id = ${product}`, true],
      [
        'a movement that somebody has changed',
        () => `UPDATE stock_movements SET quantity = 1 WHERE product_id = ${product} AND kind = 'initial'`,
        false,
      ],
      [
        'a movement that somebody has removed',
        () => `DELETE FROM stock_movements WHERE product_id = ${product} AND kind = 'initial'`,
        false,
      ],
    ])(
      'follows the runbook to a green audit from %s',
      async (_what, statement, isAdjusted) => {
        await tamper(statement());
        if (isAdjusted) await api.post(`/products/${product}/stock-adjustments`, { delta: 3, reason: 'counted' });
        const { stock } = (await api.get(`/products/${product}`)).body;
        expect((await audit()).code).toBe(1);

        const shown = await audit(...REASON);
        expect([shown.code, shown.stdout]).toEqual([
          1,
          expect.stringMatching(new RegExp(`^${product} +${stock} `, 'm')),
        ]);
        expect((await audit()).code).toBe(1);
        const done = await audit(...REASON, '--yes');
        expect([done.code, done.stdout]).toEqual([0, expect.stringContaining('1 corrections were written')]);

        expect((await audit()).code).toBe(0);
        const [correction] = (await api.get(`/products/${product}/stock-movements`)).body.items;
        expect(correction).toMatchObject({ kind: 'correction', stock_after: stock, reason: REASON[2] });
        expect((await api.post('/orders', { product_id: product })).status).toBe(201);
        await api.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'counted' });
        expect((await api.get(`/products/${product}`)).body.stock).toBe(stock);
        expect((await audit()).code).toBe(0);
        expect((await audit(...REASON)).stdout).toContain('there is nothing to correct');
      },
      120_000,
    );

    it('says so when there is nothing to correct', async () => {
      expect(await audit(...REASON)).toMatchObject({
        code: 0,
        stdout: expect.stringContaining('there is nothing to correct'),
      });
    });

    it('wants a reason, and hides no damage that comes after', async () => {
      expect(await audit('--repair', '--yes')).toMatchObject({ code: 2, stderr: expect.stringContaining('--reason') });
      expect((await audit('--yes')).code).toBe(2);
      await tamper(`UPDATE products SET stock = 5 WHERE id = ${product}`);
      await audit(...REASON, '--yes');
      await tamper(`UPDATE products SET stock = 7 WHERE id = ${product}`);
      expect(await findings()).toEqual(['STOCK_DIFFERS']);
      await api.post(`/products/${product}/stock-adjustments`, { delta: 1, reason: 'counted' });
      expect(await findings()).toEqual(['STOCK_DIFFERS', 'LEDGER_BROKEN']);
    }, 120_000);
  });

  it.each(Object.entries(TAMPERINGS))('finds %s', async (finding, { statement, of }) => {
    const [cancelled = 0] = orders;
    const order = orders.at(-1) ?? 0;
    await tamper(statement({ product, order, cancelled }));
    const { code, stdout } = await audit();
    expect([code, stdout]).toEqual([1, expect.stringContaining(finding)]);
    const { body } = await api.get('/health/audit');
    expect(body.status).toBe('findings');
    const found = body.findings.find((each: { finding: string }) => each.finding === finding);
    expect(found.count).toBe(found.examples.length);
    expect([found.examples[0].product_id, found.examples[0].order_id]).toEqual(
      { product: [product, null], order: [null, order], both: [product, order], cancelled: [product, cancelled] }[of],
    );
  });

  it('tells the first places of a finding, and how many there are', async () => {
    await tamper('INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, 1000)');
    await audit();
    const { findings } = (await api.get('/health/audit')).body;
    expect(findings).toHaveLength(1);
    const [{ finding, count, examples }] = findings;
    expect([finding, count, examples.length]).toEqual(['WITHOUT_ITEMS', 1_000, 20]);
  });

  it('finds the same in slices as in one piece, each at a moment of its own', async () => {
    for (let n = 0; n < 40; n++) await api.createProduct({ stock: n });
    await tamper(
      'UPDATE products SET stock = stock + 1 WHERE stock < 1000; INSERT INTO orders (total_price) SELECT 1 FROM generate_series(1, 50)',
    );
    await tamper('DELETE FROM order_items WHERE order_id % 2 = 0 AND product_id = 1');
    const service = api.app.get(AuditService, { strict: false });
    const whole = await service.run();
    const before = LIMITS.auditSliceBytes;
    setLimits({ auditSliceBytes: 1_024 });
    try {
      const { rows } = await environment.sql.query<{ size: number }>(
        `SELECT pg_relation_size('stock_movements')::integer AS size`,
      );
      expect(rows[0]?.size).toBeGreaterThan(4 * 1_024);
      const sliced = await service.run();
      expect(whole.findings.map(({ finding }) => finding)).toEqual([
        'STOCK_DIFFERS',
        'WITHOUT_ITEMS',
        'SALE_WITHOUT_ITEM',
      ]);
      expect({ ...sliced, startedAt: 0, finishedAt: 0 }).toEqual({ ...whole, startedAt: 0, finishedAt: 0 });
    } finally {
      setLimits({ auditSliceBytes: before });
    }
  });

  it('is of one moment, and is not disturbed by sales that go on', async () => {
    const busy = await api.createProduct({ stock: 1_000 });
    let selling = true;
    const sell = async () => {
      while (selling) {
        const { body } = await api.post('/orders', { product_id: busy });
        if (body.id % 3 === 0) await api.post(`/orders/${body.id}/cancel`);
      }
    };
    const sellers = Array.from({ length: 8 }, sell);
    const runs = [await audit(), await audit()];
    selling = false;
    await Promise.all(sellers);
    for (const { code, stdout } of runs) expect([code, stdout]).toEqual([0, expect.stringContaining(': all agree')]);
  });

  it('runs as a job, which every worker schedules for each night, once', async () => {
    const workers = await Promise.all([startWorker(environment.config), startWorker(environment.config)]);
    const queue = workers[0].get<Queue>(getQueueToken(AUDIT_QUEUE), { strict: false });
    await eventually(async () => {
      const schedulers = await queue.getJobSchedulers();
      expect(schedulers).toMatchObject([{ key: NIGHTLY_AUDIT.id, pattern: '0 3 * * *', tz: 'UTC' }]);
    });
    expect(await queue.getDelayedCount()).toBe(1);
    await queue.add('audit', {});
    await eventually(async () => expect((await api.get('/health/audit')).body.status).toBe('clean'));
    await Promise.all(workers.map((worker) => worker.close()));
  });
});

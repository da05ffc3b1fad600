import { randomUUID } from 'node:crypto';
import { Redis } from 'ioredis';
import pg from 'pg';
import { AuditService } from '../../src/audit/audit.service.js';
import { failAsStalled } from '../support/dead-letter.js';
import { eventually } from '../support/eventually.js';
import { startWorker } from '../support/worker.js';
import { useApi } from '../support/use-api.js';

const { environment, api } = useApi();

describe('dead letters over HTTP', () => {
  let queue: Redis;

  beforeAll(() => {
    queue = new Redis(environment.config.queue.url);
  });

  afterAll(() => queue.disconnect());

  const makeDead = async (count: number) => {
    const product = await api.createProduct({ stock: 100 });
    const ids: number[] = [];
    for (let index = 0; index < count; index++) {
      const { body } = await api.post('/orders', { product_id: product });
      // Its job would bring it to its end.
      await eventually(async () => expect(await queue.exists(`bull:orders:order-${body.id}`)).toBe(1));
      await failAsStalled(environment.config, body.id);
      ids.push(body.id);
    }
    return ids;
  };
  const list = async (query = '') => (await api.get(`/ops/dead-letters?page_size=100${query}`)).body;
  const redrive = async (filter: object, expected_count: number, headers?: Record<string, string>) =>
    api.post('/ops/dead-letters/redrive', { filter, expected_count }, headers);
  const actions = async () =>
    (await api.get('/actions')).body.items.filter(({ type }: { type: string }) => !type.startsWith('product.'));

  it('are listed by pages, newest failure first, and tried again when their number is the one that was seen', async () => {
    const ids = await makeDead(3);
    const all = await list();
    expect(all).toMatchObject({ total: 3, page: 1, total_pages: 1 });
    expect(all.items.map(({ order_id: id }: { order_id: number }) => id).sort()).toEqual(ids.toSorted());
    expect(all.items[0]).toEqual({
      order_id: expect.any(Number),
      job_id: `order-${all.items[0].order_id}`,
      reason: 'job stalled more than allowable limit',
      attempts: 1,
      failed_at: expect.any(String),
    });
    expect((await api.get('/ops/dead-letters?page=2&page_size=2')).body.items).toHaveLength(1);
    expect((await list(`&order_id=${ids[1]}`)).items).toEqual([expect.objectContaining({ order_id: ids[1] })]);
    expect((await list('&order_id=999999')).total).toBe(0);

    const refused = await redrive({}, 2, { 'X-Request-Id': 'refused' });
    expect(refused.status).toBe(409);
    expect(refused.body).toMatchObject({ code: 'COUNT_CHANGED', expected_count: 2, count: 3 });
    expect((await list()).total).toBe(3);
    expect(await actions()).toEqual([]);

    const one = await redrive({ order_ids: [ids[0]] }, 1, { 'X-Request-Id': 'one' });
    expect([one.status, one.body]).toEqual([200, { redriven: 1 }]);
    const worker = await startWorker(environment.config);
    await eventually(async () => expect((await api.get(`/orders/${ids[0]}/status`)).body.status).toBe('completed'));

    const key = { 'Idempotency-Key': randomUUID() };
    const answers = [await redrive({}, 2, key), await redrive({}, 2, key)];
    expect(answers.map(({ status, body }) => [status, body.redriven])).toEqual([
      [200, 2],
      [200, 2],
    ]);
    expect(answers[1]?.headers.get('idempotent-replayed')).toBe('true');
    await eventually(async () => {
      for (const id of ids) expect((await api.get(`/orders/${id}/status`)).body.status).toBe('completed');
    });
    await worker.close();
    expect((await list()).total).toBe(0);
    expect(await actions()).toEqual([
      expect.objectContaining({
        type: 'dead_letters.redriven',
        actor: null,
        details: { order_ids: expect.any(Array) },
      }),
      expect.objectContaining({ details: { order_ids: [ids[0]] }, request_id: 'one' }),
    ]);
  }, 60_000);

  it('that failed after the moment that the operator names are left alone', async () => {
    const [old = 0] = await makeDead(1);
    const failedTo = new Date(Date.now() + 1).toISOString();
    await eventually(() => expect(Date.now()).toBeGreaterThan(Date.parse(failedTo)));
    await makeDead(1);
    expect((await list(`&failed_to=${failedTo}`)).items).toEqual([expect.objectContaining({ order_id: old })]);
    expect((await redrive({ failed_to: failedTo }, 1)).body).toEqual({ redriven: 1 });
    expect((await list()).total).toBe(1);
    expect((await redrive({}, 1)).status).toBe(200);
  }, 30_000);

  it.each([
    [{ expected_count: 1 }, 'filter must be an object; {} is all dead letters'],
    [{ filter: {} }, 'expected_count must be a whole number from 0 to 1000000'],
    [{ filter: { order_ids: [] }, expected_count: 0 }, 'order_ids must be a list of 1 to 1000 whole numbers'],
    [{ filter: { failed_to: 'now' }, expected_count: 0 }, 'failed_to must be a moment like 2026-01-15T10:30:00Z'],
    [{ filter: { reason: 'x' }, expected_count: 0 }, 'property reason should not exist'],
  ])('refuse %j', async (body, message) => {
    const answer = await api.post('/ops/dead-letters/redrive', body);
    expect([answer.status, answer.body.errors[0].message]).toEqual([422, message]);
  });
});

it('an action can be neither changed nor removed by the application', async () => {
  const client = new pg.Client({ connectionString: environment.variables.DATABASE_URL });
  await client.connect();
  for (const statement of ["UPDATE actions SET actor = 'x'", 'DELETE FROM actions', 'TRUNCATE actions']) {
    await expect(client.query(statement)).rejects.toThrow('permission denied');
  }
  await client.end();
});

it('actions are listed by pages', async () => {
  await environment.sql.query(
    `INSERT INTO actions (type, details) SELECT 'dead_letters.redriven', jsonb_build_object('order_ids', n) FROM generate_series(1, 25) AS n`,
  );
  const first = (await api.get('/actions?page_size=20')).body;
  const second = (await api.get(`/actions?page_size=20&before=${first.next}`)).body;
  const ids = [...first.items, ...second.items].map(({ id }: { id: number }) => id);
  expect(first.items).toHaveLength(20);
  expect(ids).toEqual(ids.toSorted((a, b) => b - a));
  expect(second.next).toBeNull();
});

it('audits are listed, newest first', async () => {
  const audits = api.app.get(AuditService, { strict: false });
  await audits.run();
  await audits.run();
  const { body } = await api.get('/ops/audit-runs?limit=2');
  expect(body.items).toHaveLength(2);
  expect(body.items[0].started_at >= body.items[1].started_at).toBe(true);
  expect(body.items[0]).toMatchObject({ status: 'clean', findings: [] });
  expect((await api.get('/ops/audit-runs?limit=101')).status).toBe(422);
});

describe('the orders of a request', () => {
  it('are found by its id, with their page and their status', async () => {
    const product = await api.createProduct({ stock: 100 });
    const requestId = randomUUID();
    const ids: number[] = [];
    for (let index = 0; index < 3; index++) {
      ids.push((await api.post('/orders', { product_id: product }, { 'X-Request-Id': requestId })).body.id);
    }
    await api.post(`/orders/${ids[0]}/cancel`, {});
    const found = (await api.get(`/orders?request_id=${requestId}&page_size=2`)).body;
    expect(found).toMatchObject({ total: 3, total_pages: 2 });
    expect(found.items.map(({ id }: { id: number }) => id)).toEqual([ids[2], ids[1]]);
    const cancelled = (await api.get(`/orders?request_id=${requestId}&status=cancelled`)).body;
    expect(cancelled.items.map(({ id }: { id: number }) => id)).toEqual([ids[0]]);
  });

  it('are none for an id that nobody has sent', async () => {
    expect((await api.get('/orders?request_id=nobody')).body).toMatchObject({ items: [], total: 0, total_pages: 1 });
    expect((await api.get(`/orders?request_id=${'x'.repeat(129)}`)).status).toBe(422);
  });

  it('are found by the index of the blocks, in a table of any size', async () => {
    const { rows } = await environment.sql.query('SELECT indexdef FROM pg_indexes WHERE indexname = $1', [
      'order_events_request_id_idx',
    ]);
    expect(rows[0].indexdef).toContain('USING brin (request_id text_bloom_ops)');
  });
});

import { setTimeout as delay } from 'node:timers/promises';
import { eventually } from '../support/eventually.js';
import { useLimits } from '../support/limits.js';
import { useApi } from '../support/use-api.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';

/** Half of them are for what is no sale. */
const POOL_SIZE = 4;

describe('the pool of connections', () => {
  useLimits({ connectionStallMs: 100 });
  const { environment, api } = useApi({ DATABASE_POOL_SIZE: String(POOL_SIZE) });

  const connections = async () => (await api.get('/health/ready')).body.details.connections;

  it('sheds load at once when it is exhausted and nobody gets a connection any more, and loses none of them', async () => {
    const held = [await api.createProduct(), await api.createProduct()];
    const free = await api.createProduct();
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = ANY ($1) FOR UPDATE', [held]);
    const busy = held.map((id) => api.put(`/products/${id}`, { price: 5 }));
    await untilBlockedBy(environment.sql, holder.pid, POOL_SIZE / 2);

    const first = api.put(`/products/${free}`, { price: 5 });
    const waiting: Promise<{ status: number }>[] = [first];
    // Those that come before the pool has stalled wait for a connection; then one is answered, though none comes free.
    await eventually(async () => {
      const late = api.put(`/products/${free}`, { price: 5 });
      waiting.push(late);
      const answer = await Promise.race([late, delay(50, undefined)]);
      expect([answer?.status, answer?.headers.get('Retry-After')]).toEqual([503, '1']);
    });
    await holder.end('ROLLBACK');
    for (const { status } of await Promise.all(busy)) expect(status).toBe(200);
    for (const { status } of await Promise.all(waiting)) expect([200, 503]).toContain(status);
    expect((await first).status).toBe(200);

    const served = await Promise.all(Array.from({ length: 50 }, () => api.put(`/products/${free}`, { price: 6 })));
    expect(served.filter(({ status }) => status !== 200 && status !== 503)).toEqual([]);
    await eventually(async () => {
      const { total, idle, waiting: left } = await connections();
      expect([total <= POOL_SIZE, total - idle <= 1, left]).toEqual([true, true, 0]);
    });
  });
});

describe('the connections of reads', () => {
  useLimits({ connectionStallMs: 100 });
  const { environment, api } = useApi({ DATABASE_READ_POOL_SIZE: '1', DATABASE_POOL_SIZE: '1' });

  it('are others than those of sales: reads that hang keep none from selling', async () => {
    const product_id = await api.createProduct();
    const holder = await openTransaction(environment.sql);
    await holder.query('LOCK TABLE audit_runs', []);
    const hanging = api.get('/health/audit');
    await untilBlockedBy(environment.sql, holder.pid, 1);
    const waiting = api.get(`/products/${product_id}`);
    expect(await Promise.race([waiting, delay(300, 'waits')])).toBe('waits');
    for (let sale = 0; sale < 5; sale++) expect((await api.post('/orders', { product_id })).status).toBe(201);
    expect((await api.post('/orders', { product_id }, { 'Idempotency-Key': 'beside reads' })).status).toBe(201);
    await holder.end('ROLLBACK');
    expect([(await hanging).status, (await waiting).status]).toEqual([200, 200]);
    expect((await api.get(`/products/${product_id}`)).body.stock).toBe(4);
  });
});

describe('the connections of sales', () => {
  useLimits({ connectionStallMs: 100 });
  const { environment, api } = useApi({ DATABASE_POOL_SIZE: '4' });

  it.each([
    ['releases', 'reservations', (id: number) => api.delete(`/reservations/${id}`)],
    ['confirmations', 'reservations', (id: number) => api.post('/orders', { reservation_id: id })],
    ['cancellations', 'orders', (id: number) => api.post(`/orders/${id}/cancel`)],
  ])('are not taken by many %s of one row, which wait for each other', async (name, table, change) => {
    const product_id = await api.createProduct();
    const { body } = await api.post(`/${table}`, table === 'orders' ? { product_id } : { items: [{ product_id }] });
    const holder = await openTransaction(environment.sql);
    await holder.query(`SELECT FROM ${table} WHERE id = $1 FOR UPDATE`, [body.id]);
    const waiting = Array.from({ length: 20 }, () => change(body.id));
    await untilBlockedBy(environment.sql, holder.pid, 1);
    for (let sale = 0; sale < 5; sale++) {
      expect((await api.post('/orders', { product_id })).status).toBe(201);
      await delay(100);
    }
    expect((await api.post('/orders', { product_id }, { 'Idempotency-Key': `beside ${name}` })).status).toBe(201);
    await holder.end('ROLLBACK');
    for (const { status } of await Promise.all(waiting)) expect([200, 201, 204, 404, 409, 503]).toContain(status);
  });
});

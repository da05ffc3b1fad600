import { OverloadedError } from '../../src/runtime/overloaded.error.js';
import { type Answer } from '../support/api.js';
import { arrived } from '../support/arrived.js';
import { expiryOf } from '../support/expiry.js';
import { useLimits } from '../support/limits.js';
import { useApi } from '../support/use-api.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';

/** Short, so that a test does not wait for long; each answer comes while the lock is still held, and so by the limit. */
const LOCK_MS = 300;

describe.each(['pessimistic', 'optimistic'])('a lock that is not to be had, %s', (ORDER_LOCKING) => {
  useLimits({ lockMs: LOCK_MS });
  const { environment, api } = useApi({ ORDER_LOCKING });

  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const hold = async (...products: number[]) => {
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = ANY ($1) FOR UPDATE', [products]);
    return holder;
  };

  it('is a 503 that changes nothing, while it is held', async () => {
    const [held, free] = [await api.createProduct(), await api.createProduct()];
    const holder = await hold(held);
    const order = { items: [{ product_id: free }, { product_id: held }] };
    const { status, headers, body } = await api.post('/orders', order);
    expect([status, headers.get('Retry-After'), body.code]).toEqual([503, '1', 'LOCK_TIMEOUT']);
    await holder.end('ROLLBACK');
    expect([await stockOf(held), await stockOf(free)]).toEqual([10, 10]);
    expect((await api.post('/orders', order)).status).toBe(201);
  });

  it('is not kept for the key: sent again, the order is bought', async () => {
    const product_id = await api.createProduct();
    const key = { 'Idempotency-Key': 'for the moment only' };
    const holder = await hold(product_id);
    expect((await api.post('/orders', { product_id }, key)).status).toBe(503);
    await holder.end('ROLLBACK');
    const later = await api.post('/orders', { product_id }, key);
    expect([later.status, later.headers.get('Idempotent-Replayed')]).toEqual([201, null]);
  });

  it('keeps no reservation of another product from expiring', async () => {
    const [held, free] = [await api.createProduct({ stock: 5 }), await api.createProduct({ stock: 5 })];
    const ids = [];
    for (const product_id of [held, free])
      ids.push((await api.post('/reservations', { items: [{ product_id }] })).body.id);
    await environment.sql.query(`UPDATE reservations SET expires_at = now() WHERE id = ANY ($1)`, [ids]);
    const expire = () => expiryOf(api).run();
    const holder = await hold(held);
    expect(await expire()).toBe(1);
    expect(await stockOf(free)).toBe(5);
    await holder.end('ROLLBACK');
    expect(await expire()).toBe(1);
    expect(await stockOf(held)).toBe(5);
  });

  it('keeps no reservation of another product from expiring, however many older ones of its own there are', async () => {
    const [held, free] = [await api.createProduct({ stock: 1_000 }), await api.createProduct({ stock: 5 })];
    const reserve = async (product_id: number) =>
      (await api.post('/reservations', { items: [{ product_id }] })).body.id;
    const older = await Promise.all(Array.from({ length: 450 }, () => reserve(held)));
    const newer = await reserve(free);
    const lapse = `UPDATE reservations SET expires_at = now() - $2 * interval '1 ms' WHERE id = ANY ($1)`;
    await environment.sql.query(lapse, [older, 2]);
    await environment.sql.query(lapse, [[newer], 1]);
    const holder = await hold(held);
    const before = performance.now();
    expect(await expiryOf(api).run()).toBe(1);
    // One wait for the locked product, not one for each reservation.
    expect(performance.now() - before).toBeLessThan(20 * LOCK_MS);
    expect(await stockOf(free)).toBe(5);
    await holder.end('ROLLBACK');
    expect(await expiryOf(api).run()).toBe(450);
  });

  it('is waited for by the expiry of reservations until the process stops', async () => {
    const products = await Promise.all(Array.from({ length: 5 }, () => api.createProduct()));
    for (const product_id of products) await api.post('/reservations', { items: [{ product_id }] });
    await environment.sql.query(`UPDATE reservations SET expires_at = now() WHERE status = 'held'`);
    const holder = await hold(...products);
    const expiry = expiryOf(api);
    const running = expiry.run();
    await untilBlockedBy(environment.sql, holder.pid, 1);
    await expiry.beforeApplicationShutdown();
    await holder.end('ROLLBACK');
    // The one that it waited for, or none when the limit came first.
    expect(await running).toBeLessThanOrEqual(1);
  });
});

describe('an optimistic sale that is refused each time for stock which has come back since', () => {
  const { environment, api } = useApi({ ORDER_LOCKING: 'optimistic' });

  it('is a 503 that changes nothing', async () => {
    const products = [await api.createProduct(), await api.createProduct()];
    await environment.sql.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN NEW.total_price := NULL; RETURN NEW; END $$;
      CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()`);
    const items = products.map((product_id) => ({ product_id }));
    const { status, headers, body } = await api.post('/orders', { items });
    expect([status, headers.get('Retry-After'), body.code]).toEqual([503, '1', 'LOCK_TIMEOUT']);
    for (const id of products) expect((await api.get(`/products/${id}`)).body.stock).toBe(10);
  });
});

describe('purchases that are committed together, one of them for a product that somebody else holds', () => {
  // Longer than it takes to make the others wait.
  useLimits({ lockMs: 10 * LOCK_MS });
  const { environment, api } = useApi();

  it('are sold, but for that one', async () => {
    const [locked, free, ...turns] = await Promise.all(
      Array.from({ length: 4 }, () => api.createProduct({ stock: 500 })),
    );
    const inTurn = await openTransaction(environment.sql);
    await inTurn.query('SELECT FROM products WHERE id = ANY ($1) FOR UPDATE', [turns]);
    const waiting = turns.map((product_id) => api.post('/orders', { product_id }));
    await untilBlockedBy(environment.sql, inTurn.pid, 2);
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [locked]);
    const stuck = await arrived(api, api.post('/orders', { product_id: locked }));
    const lucky = await arrived(api, api.post('/orders', { product_id: free }));
    await inTurn.end('COMMIT');
    expect((await lucky.answer).status).toBe(201);
    expect(await stuck.answer).toMatchObject({ status: 503, body: { code: 'LOCK_TIMEOUT' } });
    await holder.end('ROLLBACK');
    expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual([201, 201]);
  });
});

describe('purchases of a product that somebody else holds', () => {
  useLimits({ lockMs: LOCK_MS });
  const { environment, api } = useApi();

  it('are all refused, however many there are, and the readers and the buyers of others are served', async () => {
    const [locked, free] = [await api.createProduct({ stock: 500 }), await api.createProduct({ stock: 500 })];
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [locked]);
    const stuck = Array.from({ length: 200 }, () => api.post('/orders', { product_id: locked }));
    await untilBlockedBy(environment.sql, holder.pid, 1);
    const reads = await Promise.all(Array.from({ length: 20 }, () => api.get(`/products/${free}`)));
    expect(new Set(reads.map(({ status }) => status))).toEqual(new Set([200]));
    const answers: Answer[] = await Promise.all(stuck);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([503]));
    expect((await api.post('/orders', { product_id: free })).status).toBe(201);
    await holder.end('ROLLBACK');
    expect((await api.get(`/products/${locked}`)).body.stock).toBe(500);
  });
});

describe('an API for which too many purchases wait', () => {
  useLimits({ purchasesWaiting: 3 });
  const { environment, api } = useApi();

  it('refuses one more at once, says when to try again, and sells to all that waited', async () => {
    const product_id = await api.createProduct({ stock: 10 });
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [product_id]);
    const served = api.post('/orders', { product_id });
    await untilBlockedBy(environment.sql, holder.pid, 1);
    const waiting = [];
    for (let buyer = 0; buyer < 3; buyer++) waiting.push(await arrived(api, api.post('/orders', { product_id })));
    const refused = await api.post('/orders', { product_id });
    expect([refused.status, refused.headers.get('Retry-After'), refused.body.code, refused.body.detail]).toEqual([
      503,
      '1',
      'OVERLOADED',
      new OverloadedError().message,
    ]);
    await holder.end('COMMIT');
    const answers = await Promise.all([served, ...waiting.map(({ answer }) => answer)]);
    expect(answers.map(({ status }) => status)).toEqual([201, 201, 201, 201]);
    expect((await api.get(`/products/${product_id}`)).body.stock).toBe(6);
  });
});

describe('a purchase that waits too long for its turn', () => {
  useLimits({ purchaseTurnMs: 100 });
  const { environment, api } = useApi();

  it('is refused unserved when its turn comes', async () => {
    const product_id = await api.createProduct({ stock: 10 });
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [product_id]);
    const served = api.post('/orders', { product_id });
    await untilBlockedBy(environment.sql, holder.pid, 1);
    // Keys are looked for when the locks are asked for, so it joins no batch that has begun.
    const key = { 'Idempotency-Key': 'waits for the next batch' };
    const late = await arrived(api, api.post('/orders', { product_id }, key));
    await new Promise((resolve) => setTimeout(resolve, 200));
    await holder.end('COMMIT');
    expect((await served).status).toBe(201);
    expect(await late.answer).toMatchObject({ status: 503, body: { code: 'OVERLOADED' } });
    expect((await api.post('/orders', { product_id }, key)).headers.get('Idempotent-Replayed')).toBeNull();
  });
});

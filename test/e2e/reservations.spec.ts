import type { INestApplicationContext } from '@nestjs/common';
import { AuditService } from '../../src/audit/audit.service.js';
import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { ReservationRemoval } from '../../src/reservations/reservation-removal.js';
import { eventually } from '../support/eventually.js';
import { expiryOf } from '../support/expiry.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';
import { useApi } from '../support/use-api.js';
import { errorsDuring } from '../support/warnings.js';
import { startWorker } from '../support/worker.js';

describe('reservations', () => {
  const { environment, api } = useApi();
  let worker: INestApplicationContext | undefined;

  afterEach(async () => {
    await worker?.close();
    worker = undefined;
    const { findings } = await api.app.get(AuditService, { strict: false }).run();
    expect(findings).toEqual([]);
  });

  const reserve = (product_id: number, quantity = 1, ttl_seconds = 600) =>
    api.post('/reservations', { items: [{ product_id, quantity }], ttl_seconds });
  const confirm = (reservation_id: number, headers = {}) => api.post('/orders', { reservation_id }, headers);
  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const statusOf = async (id: number) => (await api.get(`/reservations/${id}`)).body.status;
  /** Its time is up: as if the clock had gone on. */
  const lapse = (ids: readonly number[]) =>
    environment.sql.query(`UPDATE reservations SET expires_at = now() - interval '1 ms' WHERE id = ANY ($1)`, [ids]);
  const expire = () => expiryOf(api).run();

  it('are removed long after they have ended, but for those that have become orders', async () => {
    const product = await api.createProduct({ stock: 50 });
    const made = async () => (await reserve(product, 2)).body.id;
    const ended = { released: await made(), expired: await made() };
    const staying = { held: await made(), confirmed: await made(), recent: await made() };
    for (const id of [ended.released, staying.recent]) await api.delete(`/reservations/${id}`);
    await lapse([ended.expired]);
    await expire();
    await confirm(staying.confirmed);
    const old = [ended.released, ended.expired, staying.held, staying.confirmed];
    await environment.sql.query(
      `SET session_replication_role = replica; UPDATE reservations SET updated_at = now() - interval '31 days'
       WHERE id IN (${old.join()}); RESET session_replication_role`,
    );
    const removal = new ReservationRemoval(api.app.get(TransactionRunner, { strict: false }), environment.config);
    expect(await removal.run()).toBe(2);
    for (const id of Object.values(ended)) {
      expect(await api.get(`/reservations/${id}`)).toMatchObject({
        status: 404,
        body: { code: 'RESERVATION_NOT_FOUND' },
      });
      expect((await confirm(id)).status).toBe(404);
    }
    expect(await Promise.all(Object.values(staying).map(statusOf))).toEqual(['held', 'confirmed', 'released']);
    expect(await removal.run()).toBe(0);
    // Somebody who removes one that holds stock is found.
    await environment.sql.query(
      `DELETE FROM reservation_items WHERE reservation_id = ${staying.held}; DELETE FROM reservations WHERE id = ${staying.held}`,
    );
    const { findings } = await api.app.get(AuditService, { strict: false }).run();
    expect(findings).toMatchObject([
      { finding: 'SALE_WITHOUT_ITEM', examples: [{ reservation_id: staying.held, found: 2 }] },
    ]);
    await environment.sql.query(
      `SET session_replication_role = replica; DELETE FROM stock_movements WHERE product_id = ${product};
       DELETE FROM order_items WHERE product_id = ${product}; DELETE FROM orders WHERE id NOT IN (SELECT order_id FROM order_items);
       DELETE FROM reservation_items WHERE product_id = ${product}; DELETE FROM reservations WHERE id NOT IN (SELECT reservation_id FROM reservation_items);
       DELETE FROM products WHERE id = ${product}; RESET session_replication_role`,
    );
  });

  it('hold stock for a while, which nobody else can buy', async () => {
    const [a, b] = [await api.createProduct({ stock: 3 }), await api.createProduct({ stock: 3 })];
    const items = [{ product_id: b, quantity: 1 }, { product_id: a, quantity: 2 }, { product_id: b }];
    const { status, headers, body } = await api.post('/reservations', { items, ttl_seconds: 60 });
    expect([status, headers.get('Location')]).toEqual([201, `/api/v1/reservations/${body.id}`]);
    expect(body).toEqual({
      id: expect.any(Number),
      status: 'held',
      customer_ref: null,
      items: [
        { product_id: a, quantity: 2 },
        { product_id: b, quantity: 2 },
      ],
      order_id: null,
      expires_at: expect.stringMatching(/Z$/),
      created_at: expect.stringMatching(/Z$/),
      updated_at: body.created_at,
    });
    const heldMs = Date.parse(body.expires_at) - Date.parse(body.created_at);
    expect(Math.abs(heldMs - 60_000)).toBeLessThan(2_000);
    expect((await api.get(`/reservations/${body.id}`)).body).toEqual(body);
    expect([await stockOf(a), await stockOf(b)]).toEqual([1, 1]);
    expect((await api.post('/orders', { product_id: a, quantity: 2 })).status).toBe(400);
    const [movement] = (await api.get(`/products/${a}/stock-movements`)).body.items;
    expect(movement).toMatchObject({
      kind: 'hold',
      quantity: -2,
      stock_after: 1,
      order_id: null,
      reservation_id: body.id,
    });
  });

  it('hold all of it or nothing', async () => {
    const [plenty, scarce] = [await api.createProduct({ stock: 9 }), await api.createProduct({ stock: 1 })];
    const items = [{ product_id: plenty }, { product_id: scarce, quantity: 2 }];
    const { status, body } = await api.post('/reservations', { items });
    expect([status, body.detail]).toEqual([
      400,
      `Insufficient stock for product ${scarce}. Available: 1, Requested: 2`,
    ]);
    expect((await reserve(9999)).body.detail).toBe('Product with ID 9999 not found');
    expect([await stockOf(plenty), await stockOf(scarce)]).toEqual([9, 1]);
  });

  it('become an order at the prices of that moment, without a movement of stock', async () => {
    const product = await api.createProduct({ stock: 5, price: 10 });
    const { id } = (await reserve(product, 2)).body;
    await api.put(`/products/${product}`, { price: 12 });
    const { status, headers, body } = await confirm(id);
    expect([status, headers.get('Location')]).toEqual([201, `/api/v1/orders/${body.id}`]);
    expect(body).toMatchObject({ product_id: product, quantity: 2, total_price: 24, status: 'pending' });
    expect(body).toEqual((await api.get(`/orders/${body.id}`)).body);
    expect((await api.get(`/reservations/${id}`)).body).toMatchObject({ status: 'confirmed', order_id: body.id });
    expect((await api.get(`/products/${product}/stock-movements`)).body.items).toHaveLength(2);
    worker = await startWorker(environment.config);
    await eventually(async () => expect((await api.get(`/orders/${body.id}`)).body.status).toBe('completed'));
    expect(await stockOf(product)).toBe(3);
  });

  it('give their stock back when the order that they became is cancelled', async () => {
    const product = await api.createProduct({ stock: 5 });
    const order = (await confirm((await reserve(product, 2)).body.id)).body.id;
    expect((await api.post(`/orders/${order}/cancel`)).status).toBe(200);
    expect(await stockOf(product)).toBe(5);
  });

  it('are let go once, however often', async () => {
    const product = await api.createProduct({ stock: 5 });
    await api.get(`/products/${product}/cached`);
    const { id } = (await reserve(product, 2)).body;
    const answers = await Promise.all(Array.from({ length: 10 }, () => api.delete(`/reservations/${id}`)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 204));
    expect([await stockOf(product), await statusOf(id)]).toEqual([5, 'released']);
    expect((await api.get(`/products/${product}/cached`)).body.stock).toBe(5);
    expect(await confirm(id)).toMatchObject({ status: 409, body: { code: 'RESERVATION_RELEASED' } });
  });

  it('are not sold when their time is up, whether the sweep has come or not', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { id } = (await reserve(product, 2)).body;
    await lapse([id]);
    expect(await statusOf(id)).toBe('expired');
    expect(await confirm(id)).toMatchObject({
      status: 409,
      body: { code: 'RESERVATION_EXPIRED', detail: `Reservation with ID ${id} is expired` },
    });
    expect((await api.delete(`/reservations/${id}`)).status).toBe(204);
    expect(await stockOf(product)).toBe(3);
    expect(await expire()).toBe(1);
    expect(await expire()).toBe(0);
    expect([await stockOf(product), await statusOf(id)]).toEqual([5, 'expired']);
  });

  it('are not sold when their time runs out while the purchase waits for a product', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { id } = (await reserve(product, 2, 1)).body;
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [product]);
    const confirming = confirm(id);
    await untilBlockedBy(environment.sql, holder.pid, 1);
    await eventually(async () => expect(await statusOf(id)).toBe('expired'));
    await holder.end('COMMIT');
    expect((await confirming).body.code).toBe('RESERVATION_EXPIRED');
    expect((await api.get('/orders')).body.items[0]?.items[0]?.product_id).not.toBe(product);
    expect(await expire()).toBe(1);
    expect(await stockOf(product)).toBe(5);
  });

  it('expire by themselves while a worker runs', async () => {
    const product = await api.createProduct({ stock: 5 });
    worker = await startWorker(environment.config);
    await reserve(product, 2, 1);
    expect(await stockOf(product)).toBe(3);
    await eventually(async () => expect(await stockOf(product)).toBe(5));
  });

  it('are confirmed once, and cannot be let go after that', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { id } = (await reserve(product)).body;
    const answers = await Promise.all(Array.from({ length: 10 }, () => confirm(id)));
    const [won, ...lost] = answers.toSorted((a, b) => a.status - b.status);
    expect(won?.status).toBe(201);
    for (const { status, body } of lost) {
      expect([status, body.code, body.detail]).toEqual([
        409,
        'RESERVATION_CONFIRMED',
        `Reservation with ID ${id} has become order ${won?.body.id}`,
      ]);
    }
    expect((await api.delete(`/reservations/${id}`)).body.code).toBe('RESERVATION_CONFIRMED');
    await lapse([id]);
    expect(await expire()).toBe(0);
    expect(await stockOf(product)).toBe(4);
  });

  it('are confirmed once by a request that is sent again', async () => {
    const { id } = (await reserve(await api.createProduct())).body;
    const key = { 'Idempotency-Key': 'confirm once' };
    const first = await confirm(id, key);
    const again = await confirm(id, key);
    expect([again.status, again.body, again.headers.get('Location')]).toEqual([
      201,
      first.body,
      first.headers.get('Location'),
    ]);
    expect(again.headers.get('Idempotent-Replayed')).toBe('true');
  });

  it('of a product that was deleted meanwhile are not sold', async () => {
    const product = await api.createProduct({ stock: 5 });
    const { id } = (await reserve(product)).body;
    await api.delete(`/products/${product}`);
    expect(await confirm(id)).toMatchObject({ status: 404, body: { code: 'PRODUCT_NOT_FOUND' } });
    expect((await api.delete(`/reservations/${id}`)).status).toBe(204);
  });

  it('wait for who is just ending them, and find them ended', async () => {
    const { id } = (await reserve(await api.createProduct())).body;
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM reservations WHERE id = $1 FOR UPDATE', [id]);
    const confirming = confirm(id);
    await untilBlockedBy(environment.sql, holder.pid, 1);
    await lapse([]);
    expect(await expire()).toBe(0);
    await holder.query(`UPDATE reservations SET expires_at = now() WHERE id = $1`, [id]);
    await holder.end('COMMIT');
    expect((await confirming).body.code).toBe('RESERVATION_EXPIRED');
    expect(await expire()).toBe(1);
  });

  it('expire although one of them cannot, which is named in the log', async () => {
    const [broken, ...others] = await Promise.all(Array.from({ length: 5 }, () => api.createProduct({ stock: 5 })));
    const ids = [];
    for (const product of [broken, ...others]) ids.push((await reserve(product ?? 0)).body.id);
    await environment.sql.query(`
      CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'broken'; END $$;
      CREATE TRIGGER refuse BEFORE UPDATE ON products FOR EACH ROW WHEN (OLD.id = ${broken}) EXECUTE FUNCTION refuse()`);
    await lapse(ids);
    const expiry = expiryOf(api);
    const { result, errors } = await errorsDuring(async () => [await expiry.run(), await expiry.run()]);
    expect(result).toEqual([4, 0]);
    expect(errors).toEqual([expect.stringMatching(`^A reservation cannot be expired.*"reservation_id":${ids[0]}\\b`)]);
    await environment.sql.query('DROP TRIGGER refuse ON products; DROP FUNCTION refuse');
    expect(await expiry.run()).toBe(1);
  });

  it('end once each when buyers, sweeps and those who let go race for them', async () => {
    const product = await api.createProduct({ stock: 500 });
    const ids = (await Promise.all(Array.from({ length: 300 }, () => reserve(product)))).map(({ body }) => body.id);
    expect(await stockOf(product)).toBe(200);
    const some = ids.filter((_, index) => index % 3 === 0);
    const racing = ids.map((id, index) => (index % 2 === 0 ? confirm(id) : api.delete(`/reservations/${id}`)));
    const sweeping = (async () => {
      await lapse(some);
      await Promise.all([expire(), expire(), expire()]);
    })();
    const confirmed = (await Promise.all(racing)).filter(({ status }) => status === 201).length;
    await sweeping;
    while ((await expire()) > 0);
    const { rows } = await environment.sql.query(
      `SELECT count(*) FILTER (WHERE status = 'confirmed')::int AS confirmed, count(*) FILTER (WHERE status = 'held')::int AS held
       FROM reservations WHERE id = ANY ($1)`,
      [ids],
    );
    expect(rows).toEqual([{ confirmed, held: 0 }]);
    expect(await stockOf(product)).toBe(500 - confirmed);
  });

  it.each([
    ['items', { items: [] }],
    ['items', { items: undefined }],
    ['items.0.quantity', { items: [{ product_id: 1, quantity: 0 }] }],
    ['ttl_seconds', { ttl_seconds: 0 }],
    ['ttl_seconds', { ttl_seconds: 3_601 }],
    ['ttl_seconds', { ttl_seconds: null }],
    ['status', { status: 'held' }],
  ])('refuse a wrong %s: %j', async (field, wrong) => {
    const { status, body } = await api.post('/reservations', { items: [{ product_id: 1 }], ...wrong });
    const fields = new Set(body.errors.map((error: { field: string }) => error.field));
    expect([status, [...fields]]).toEqual([422, [field]]);
  });

  it.each([
    { reservation_id: 1, product_id: 1 },
    { reservation_id: 1, quantity: 1 },
    { reservation_id: 1, items: [{ product_id: 1 }] },
    { reservation_id: null },
    { reservation_id: '1' },
  ])('are not bought together with anything else, or by a wrong id: %j', async (body) => {
    expect((await api.post('/orders', body)).status).toBe(422);
  });

  it('are told apart from those that are not there', async () => {
    for (const answer of [
      await api.get('/reservations/9999'),
      await api.delete('/reservations/9999'),
      await confirm(9999),
    ]) {
      expect([answer.status, answer.body.code]).toEqual([404, 'RESERVATION_NOT_FOUND']);
    }
  });
});

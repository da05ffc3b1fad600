import { randomUUID } from 'node:crypto';
import pg from 'pg';
import { KeyRing } from '../../src/access/key-ring.js';
import { loadConfig } from '../../src/config/config.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { openStream } from '../support/event-stream.js';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
/** Of ids that nothing has. */
const NOTHING = 987_654_321;

describe.each(['pessimistic', 'optimistic'])('customers, with stock taken in the %s way', (locking) => {
  let environment: Environment;
  let api: Api;
  let shop: Record<string, string>;
  let alice: Record<string, string>;
  let bob: Record<string, string>;
  let product: number;

  const buy = async (caller: Record<string, string>, fields: object = {}): Promise<Answer> =>
    api.post('/orders', { product_id: product, ...fields }, caller);
  const hold = async (caller: Record<string, string>, fields: object = {}): Promise<Answer> =>
    api.post('/reservations', { items: [{ product_id: product }], ...fields }, caller);
  const stock = async (): Promise<number> =>
    (await environment.sql.query('SELECT stock FROM products WHERE id = $1', [product])).rows[0].stock;

  beforeAll(async () => {
    environment = await createEnvironment({ AUTH: 'required', ORDER_LOCKING: locking });
    const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'off' }, 'api'));
    const keyOf = async (fields: object): Promise<Record<string, string>> =>
      bearer((await open.post('/keys', { name: 'test', role: 'storefront', ...fields })).body.token);
    shop = await keyOf({});
    alice = await keyOf({ customer_ref: 'alice' });
    bob = await keyOf({ customer_ref: 'bob', role: 'admin' });
    product = await open.createProduct({ stock: 1_000_000 });
    await open.close();
    api = await startApi(environment.config);
    await api.app.get(KeyRing, { strict: false }).run();
  }, 60_000);

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  it('what a customer buys and holds is its own, and names another in vain', async () => {
    expect((await buy(alice)).body.customer_ref).toBe('alice');
    expect((await buy(alice, { customer_ref: 'alice' })).body.customer_ref).toBe('alice');
    expect((await hold(alice)).body.customer_ref).toBe('alice');
    const before = await stock();
    for (const answer of [await buy(alice, { customer_ref: 'bob' }), await hold(alice, { customer_ref: 'bob' })]) {
      expect([answer.status, answer.body.code]).toEqual([403, 'FORBIDDEN']);
    }
    expect(await stock()).toBe(before);
  });

  it('a shop names the customer, or none; and what is wrong with the name', async () => {
    expect((await buy(shop)).body.customer_ref).toBeNull();
    const { body } = await buy(shop, { customer_ref: 'Æther 7' });
    expect(body.customer_ref).toBe('Æther 7');
    expect((await api.get(`/orders/${body.id}`, shop)).body.customer_ref).toBe('Æther 7');
    for (const customer_ref of ['', 'x'.repeat(129), 'a\nb', '\u200b', 7, null]) {
      for (const { status, body: problem } of [await buy(shop, { customer_ref }), await hold(shop, { customer_ref })]) {
        expect([status, problem.errors[0].field]).toEqual([422, 'customer_ref']);
      }
    }
  });

  it('a sale is answered again with its customer', async () => {
    const key = { 'Idempotency-Key': randomUUID() };
    const first = await buy({ ...alice, ...key });
    const again = await buy({ ...alice, ...key });
    expect(again.headers.get('idempotent-replayed')).toBe('true');
    expect(again.body).toEqual(first.body);
    const other = await buy({ ...bob, ...key });
    expect([other.status, other.body.customer_ref, other.body.id === first.body.id]).toEqual([201, 'bob', false]);
    const cancelled = await api.post(`/orders/${first.body.id}/cancel`, {}, { ...alice, ...key });
    const key2 = { 'Idempotency-Key': randomUUID() };
    expect(cancelled.status).toBe(422);
    const once = await api.post(`/orders/${first.body.id}/cancel`, {}, { ...alice, ...key2 });
    expect((await api.post(`/orders/${first.body.id}/cancel`, {}, { ...alice, ...key2 })).body).toEqual(once.body);
    expect(once.body.customer_ref).toBe('alice');
  });

  it('an order takes over the customer of its reservation', async () => {
    const confirm = async (caller: Record<string, string>, { body: { id } }: Answer, fields: object = {}) =>
      api.post('/orders', { reservation_id: id, ...fields }, caller);
    expect((await confirm(alice, await hold(alice))).body.customer_ref).toBe('alice');
    expect((await confirm(shop, await hold(shop, { customer_ref: 'alice' }))).body.customer_ref).toBe('alice');
    expect((await confirm(shop, await hold(shop))).body.customer_ref).toBeNull();
    // Who logs in at the checkout has held as nobody.
    const claimed = await confirm(shop, await hold(shop), { customer_ref: 'carol' });
    expect(claimed.body.customer_ref).toBe('carol');
    expect((await api.get(`/orders/${claimed.body.id}`, shop)).body.customer_ref).toBe('carol');
    const held = await hold(shop, { customer_ref: 'alice' });
    expect((await confirm(shop, held, { customer_ref: 'bob' })).body.code).toBe('RESERVATION_NOT_FOUND');
    expect((await confirm(alice, await hold(shop))).body.code).toBe('RESERVATION_NOT_FOUND');
    expect((await confirm(alice, held)).status).toBe(201);
  });

  it("what is another's is answered as what is not there, by the same statements, and stays as it is", async () => {
    const orders = [(await buy(alice)).body.id, (await buy(shop)).body.id];
    const reservations = [(await hold(alice)).body.id, (await hold(shop)).body.id];
    const requests: ((id: number) => Promise<Answer>)[][] = [
      [
        (id) => api.get(`/orders/${id}`, bob),
        (id) => api.get(`/orders/${id}/status`, bob),
        (id) => api.get(`/orders/${id}/events`, bob),
        (id) => api.get(`/orders/${id}/events`, { ...bob, Accept: 'text/event-stream' }),
        (id) => api.post(`/orders/${id}/cancel`, {}, bob),
        (id) => api.post(`/orders/${id}/cancel`, {}, { ...bob, 'Idempotency-Key': randomUUID() }),
      ],
      [
        (id) => api.get(`/reservations/${id}`, bob),
        (id) => api.delete(`/reservations/${id}`, bob),
        (id) => api.post('/orders', { reservation_id: id }, bob),
        (id) => api.post('/orders', { reservation_id: id }, { ...bob, 'Idempotency-Key': randomUUID() }),
      ],
    ];
    const before = await stock();
    const rows = async () =>
      (
        await environment.sql.query(
          `SELECT jsonb_agg(to_jsonb(orders) ORDER BY id) AS orders, (SELECT jsonb_agg(to_jsonb(reservations) ORDER BY id) FROM reservations),
                  (SELECT count(*) FROM order_events) AS events FROM orders`,
        )
      ).rows;
    const seen = await rows();
    for (const [index, ids] of [orders, reservations].entries()) {
      for (const request of requests[index] ?? []) {
        const nothing = await statementsDuring(() => request(NOTHING));
        expect(nothing.statements.length).toBeGreaterThan(0);
        for (const id of ids) {
          const others = await statementsDuring(() => request(id));
          expect(others.answer).toEqual(
            JSON.parse(JSON.stringify(nothing.answer).replaceAll(String(NOTHING), String(id))),
          );
          expect(others.statements).toEqual(nothing.statements);
          expect(others.answer).toMatchObject({ status: 404 });
        }
      }
    }
    expect(await rows()).toEqual(seen);
    expect(await stock()).toBe(before);
  });

  it('a list has only what is its own, whatever it is asked for', async () => {
    const requestId = randomUUID();
    const mine = [];
    for (const caller of [alice, bob, shop, bob, alice]) {
      const { body } = await buy({ ...caller, 'X-Request-Id': requestId });
      if (caller === bob) mine.unshift(body.id);
    }
    const idsOf = ({ body }: Answer): number[] => body.items.map(({ id }: { id: number }) => id);
    const all = await api.get('/orders?page_size=100', bob);
    expect(new Set(all.body.items.map((item: { customer_ref: string }) => item.customer_ref))).toEqual(
      new Set(['bob']),
    );
    expect(all.body.total).toBe(all.body.items.length);
    expect(idsOf(await api.get(`/orders?request_id=${requestId}`, bob))).toEqual(mine);
    expect(idsOf(await api.get('/orders?customer_ref=bob&page_size=2', bob))).toEqual(mine);
    const page = await api.get('/orders?page_size=1', bob);
    expect(idsOf(page)).toEqual(mine.slice(0, 1));
    const next = /<([^>]*)>; rel="next"/.exec(page.headers.get('link') ?? '')?.[1] ?? '';
    expect(idsOf(await api.get(next.replace('/api/v1', ''), bob))).toEqual(mine.slice(1, 2));
    const nobodys = await api.get('/orders?customer_ref=nobody', bob);
    for (const query of ['customer_ref=alice', 'customer_ref=alice&status=pending']) {
      const { status, body } = await api.get(`/orders?${query}`, bob);
      expect([status, body]).toEqual([200, nobodys.body]);
    }
    expect(nobodys.body).toMatchObject({ items: [], total: 0 });
    const ofAlice = await api.get(`/orders?customer_ref=alice&request_id=${requestId}&status=pending`, shop);
    expect(ofAlice.body.total).toBe(2);
    expect(new Set(ofAlice.body.items.map((item: { customer_ref: string }) => item.customer_ref))).toEqual(
      new Set(['alice']),
    );
    expect((await api.get(`/orders?request_id=${requestId}`, shop)).body.total).toBe(5);
  });

  it('finds its own order by the request, however many orders of others the same id has', async () => {
    const requestId = randomUUID();
    const { body: order } = await buy({ ...alice, 'X-Request-Id': requestId });
    await environment.sql.query(
      `WITH made AS (INSERT INTO orders (total_price, customer_ref) SELECT 1, 'mallory' FROM generate_series(1, 1001) RETURNING id)
       INSERT INTO order_events (order_id, status, cause, request_id) SELECT id, 'pending', 'bought', $1 FROM made`,
      [requestId],
    );
    for (const [query, caller] of [
      ['', alice],
      ['&customer_ref=alice', shop],
      ['&customer_ref=alice&status=pending', alice],
    ] as const) {
      const { body } = await api.get(`/orders?request_id=${requestId}${query}`, caller);
      expect([body.total, body.items]).toEqual([1, [order]]);
    }
  });

  it('is told the ids of its own requests, and of nobody else', async () => {
    const { body: order } = await buy({ ...alice, 'X-Request-Id': 'mine' });
    await api.post(`/orders/${order.id}/cancel`, {}, { ...shop, 'X-Request-Id': 'desk-of-smith' });
    const idsFor = async (caller: Record<string, string>) =>
      (await api.get(`/orders/${order.id}/events`, caller)).body.items.map(
        (event: { request_id: string | null }) => event.request_id,
      );
    expect(await idsFor(alice)).toEqual(['mine', null]);
    expect(await idsFor(shop)).toEqual(['mine', 'desk-of-smith']);
  });

  it('reads and follows its own', async () => {
    const { body: order } = await buy(alice);
    const { body: reservation } = await hold(alice);
    expect((await api.get(`/orders/${order.id}`, alice)).body).toEqual(order);
    expect((await api.get(`/orders/${order.id}/status`, alice)).body.status).toBe('pending');
    expect((await api.get(`/orders/${order.id}/events`, alice)).body.items).toMatchObject([{ type: 'order.created' }]);
    expect((await api.get(`/reservations/${reservation.id}`, alice)).body).toEqual(reservation);
    expect((await api.delete(`/reservations/${reservation.id}`, alice)).status).toBe(204);
    const stream = await openStream(`${api.url}/orders/${order.id}/events`, alice);
    expect((await api.post(`/orders/${order.id}/cancel`, { reason: 'mine' }, alice)).body.status).toBe('cancelled');
    await stream.ended;
    expect(stream.events.map(({ event }) => event)).toEqual(['order.created', 'order.cancelled']);
  });

  it.each([
    '/events',
    '/actions',
    '/keys',
    '/ops/queues',
    '/ops/stats',
    '/ops/dead-letters',
    '/products/1/stock-movements',
  ])('sees nothing of what belongs to all: %s', async (path) => {
    const { status, body } = await api.get(path, bob);
    expect([status, body.detail]).toEqual([403, expect.stringContaining('not for customers')]);
  });
});

/** The tables that the requests are about. */
const OF_REQUESTS =
  /\b(orders|order_items|order_events|reservations|reservation_items|idempotency_keys|products|customer_counts)\b/;
/** What a process reads by itself now and then. */
const OF_METRICS = /extract\(epoch|event\.id > |max\(id\)/;

/** What a request was answered, without what is different each time, and the statements that it took. */
async function statementsDuring(request: () => Promise<Answer>): Promise<{ answer: unknown; statements: string[] }> {
  const statements: string[] = [];
  const { prototype } = pg.Client;
  const query: unknown = Reflect.get(prototype, 'query');
  const noting = {
    apply: (target: () => unknown, client: pg.Client, args: [string | { text: string }]): unknown => {
      const text = typeof args[0] === 'string' ? args[0] : args[0].text;
      if (OF_REQUESTS.test(text) && !OF_METRICS.test(text)) statements.push(text);
      return Reflect.apply(target, client, args);
    },
  };
  Object.assign(prototype, { query: new Proxy(query as () => unknown, noting) });
  try {
    const { status, body } = await request();
    return { answer: { status, body: { ...body, request_id: undefined } }, statements };
  } finally {
    Object.assign(prototype, { query });
  }
}

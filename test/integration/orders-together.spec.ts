import { setTimeout as delay } from 'node:timers/promises';
import { OrderReaderService } from '../../src/orders/order-reader.service.js';
import { OrderNotFoundError } from '../../src/orders/order.errors.js';
import { useApi } from '../support/use-api.js';

/** Reads that arrive together are one statement; each is answered as if it were alone. */
describe('orders that are read together', () => {
  const { api, environment } = useApi();
  const OWNERS = ['alice', 'bob', 'NULL', '{"x",}', null] as const;
  const placed: { id: number; owner: string | null }[] = [];
  let bare: number;
  const orders = () => api.app.get(OrderReaderService, { strict: false });

  beforeAll(async () => {
    const products = [await api.createProduct({ stock: 1_000 }), await api.createProduct({ stock: 1_000, price: 0.1 })];
    for (const [index, owner] of [...OWNERS, ...OWNERS].entries()) {
      const items = products.slice(0, (index % 2) + 1).map((id) => ({ product_id: id, quantity: index + 1 }));
      const { status, body } = await api.post('/orders', { items, ...(owner === null ? {} : { customer_ref: owner }) });
      expect([status, body]).toEqual([201, expect.anything()]);
      placed.push({ id: body.id, owner });
    }
    const { rows } = await environment.sql.query<{ id: number }>(
      'INSERT INTO orders (total_price) VALUES (1) RETURNING id::integer',
    );
    bare = rows[0]?.id ?? 0;
  });

  /** Everybody asks for every order at once. */
  const asked = () =>
    placed.flatMap(({ id, owner }) =>
      [...OWNERS].map((asker) => ({ id, owner: asker, sees: asker === null || asker === owner })),
    );

  it.each(['get', 'getStatus', 'events'] as const)(
    '%s gives each caller its own order, and nobody another',
    async (read) => {
      const requests = asked();
      const outcomes = await Promise.allSettled(requests.map(async (order) => orders()[read](order)));
      for (const [index, outcome] of outcomes.entries()) {
        const { id, sees } = requests[index] ?? { id: 0, sees: false };
        if (!sees) {
          expect(outcome).toMatchObject({ status: 'rejected', reason: expect.any(OrderNotFoundError) });
          continue;
        }
        expect(outcome).toMatchObject({ status: 'fulfilled' });
        const value: unknown = outcome.status === 'fulfilled' ? outcome.value : undefined;
        expect(value).toMatchObject(read === 'events' ? [{ orderId: id, sequence: 1, type: 'order.created' }] : { id });
      }
    },
  );

  it('an order is as it is alone: items, money, moments', async () => {
    const together = await Promise.all(placed.map(async ({ id }) => api.get(`/orders/${id}`)));
    for (const [index, { status, body }] of together.entries()) {
      const count = (index % 2) + 1;
      expect([status, body.items.length, body.quantity]).toEqual([200, count, count * (index + 1)]);
      const { body: listed } = await api.get(`/orders?before=${body.id + 1}&page_size=1`);
      expect(listed.items).toEqual([body]);
    }
  });

  it('one without items or events is there, and one that was never, or can be none, is not', async () => {
    const none = [-1, 0, Number.MAX_SAFE_INTEGER, 0.5, NaN, Infinity, 1e300];
    const reads = [bare, ...none].map(async (id) => orders().get({ id, owner: null }));
    const [found, ...missing] = await Promise.allSettled(reads);
    expect(found).toMatchObject({ status: 'fulfilled', value: { id: bare, items: [] } });
    for (const outcome of missing) expect(outcome).toMatchObject({ reason: expect.any(OrderNotFoundError) });
    expect(await orders().events({ id: bare, owner: null })).toEqual([]);
  });

  it('shows at most so many events, and no more of one beside another', async () => {
    const [first, second] = placed;
    await environment.sql.query(
      `INSERT INTO order_events (order_id, status, cause) SELECT $1, 'processing', 'attempt ' || n FROM generate_series(1, 1200) AS n`,
      [first?.id],
    );
    const [many, few] = await Promise.all([
      orders().events({ id: first?.id ?? 0, owner: null }),
      orders().events({ id: second?.id ?? 0, owner: null }),
    ]);
    expect([many.length, many.at(-1)?.sequence, few.length]).toEqual([1_000, 1_000, 1]);
  });

  it('whoever asks after a change sees it, however many read meanwhile', async () => {
    const id = (await api.post('/orders', { product_id: await api.createProduct() })).body.id as number;
    const isOver = { now: false };
    const readers = Array.from({ length: 20 }, async () => {
      while (!isOver.now)
        await Promise.all([api.get(`/orders/${id}/status`), api.get('/orders?page_size=3'), delay(1)]);
    });
    try {
      expect((await api.post(`/orders/${id}/cancel`)).status).toBe(200);
      expect((await api.get(`/orders/${id}/status`)).body.status).toBe('cancelled');
      expect((await api.get(`/orders/${id}`)).body.status).toBe('cancelled');
      expect((await api.get('/orders?page_size=3')).body.items[0]).toMatchObject({ id, status: 'cancelled' });
      const { body } = await api.get(`/orders/${id}/events`);
      expect(body.items.map(({ type }: { type: string }) => type)).toEqual(['order.created', 'order.cancelled']);
    } finally {
      isOver.now = true;
      await Promise.all(readers);
    }
  });
});

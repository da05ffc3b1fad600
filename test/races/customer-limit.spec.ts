import { randomUUID } from 'node:crypto';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { expiryOf } from '../support/expiry.js';

const BUYERS = 100;

describe.each(['pessimistic', 'optimistic'])(
  'what one customer may have, with stock taken in the %s way',
  (locking) => {
    let environment: Environment;
    const processes: Api[] = [];
    let api: Api;

    beforeAll(async () => {
      environment = await createEnvironment({ ORDER_LOCKING: locking });
      for (let count = 0; count < 2; count++) processes.push(await startApi(environment.config));
      [api] = processes as [Api];
    });

    afterAll(async () => {
      await Promise.all(processes.map((each) => each.close()));
      await environment.close();
    });

    const createLimited = async (limit: number | null, stock = 1_000): Promise<number> =>
      (await api.post('/products', { name: 'Console', price: 500, stock, max_per_customer: limit })).body.id;
    const buy = async (product_id: number, customer_ref?: string, fields: object = {}): Promise<Answer> =>
      api.post('/orders', { product_id, customer_ref, ...fields });
    const hold = async (product_id: number, customer_ref?: string, quantity = 1): Promise<Answer> =>
      api.post('/reservations', { items: [{ product_id, quantity }], customer_ref });
    const codes = (answers: readonly Answer[]) => answers.map(({ status, body }) => body?.code ?? status);
    /** What the rows say, beside what orders and reservations say. */
    const counts = async (product: number): Promise<[counted: number, had: number][]> =>
      (
        await environment.sql.query(
          `SELECT counted.quantity, (SELECT coalesce(sum(quantity), 0)::integer FROM customer_lines AS line
           WHERE line.product_id = counted.product_id AND line.customer_ref = counted.customer_ref) AS had
         FROM customer_counts AS counted WHERE product_id = $1 ORDER BY customer_ref`,
          [product],
        )
      ).rows.map(({ quantity, had }) => [quantity, had]);

    it('of a hundred orders of a customer at once, as many are sold as it may have', async () => {
      const product = await createLimited(2);
      const answers = await Promise.all(
        Array.from({ length: BUYERS }, async (_, index) =>
          index % 2 === 0
            ? (processes[index % 4 === 0 ? 0 : 1] ?? api).post('/orders', {
                product_id: product,
                customer_ref: 'alice',
              })
            : (processes[index % 4 === 1 ? 0 : 1] ?? api).post('/reservations', {
                items: [{ product_id: product }],
                customer_ref: 'alice',
              }),
        ),
      );
      const refused = answers.filter(({ body }) => body.code === 'CUSTOMER_LIMIT');
      expect(answers.filter(({ status }) => status === 201)).toHaveLength(2);
      expect(refused).toHaveLength(BUYERS - 2);
      expect(refused[0]?.body).toMatchObject({ status: 409, limit: 2 });
      expect(await counts(product)).toEqual([[2, 2]]);
      expect((await api.get(`/products/${product}`)).body).toMatchObject({ stock: 998, max_per_customer: 2 });
      expect((await buy(product, 'bob')).status).toBe(201);
    });

    it('counts quantities, repeated items and every product of an order, all or none', async () => {
      const [first, second] = [await createLimited(3), await createLimited(1)];
      const items = (one: number, other: number) =>
        api.post('/orders', {
          items: [
            { product_id: first, quantity: one },
            { product_id: first, quantity: 1 },
            { product_id: second, quantity: other },
          ],
          customer_ref: 'alice',
        });
      expect((await items(3, 1)).body).toMatchObject({ code: 'CUSTOMER_LIMIT', limit: 3, bought: 0 });
      expect((await items(1, 2)).body).toMatchObject({ code: 'CUSTOMER_LIMIT', limit: 1, bought: 0 });
      expect((await items(1, 1)).status).toBe(201);
      expect(await counts(first)).toEqual([[2, 2]]);
      expect((await buy(first, 'alice', { quantity: 2 })).body).toMatchObject({ limit: 3, bought: 2 });
      expect((await buy(first, 'alice')).status).toBe(201);
    });

    it('is told that the customer has to be named', async () => {
      const product = await createLimited(1);
      for (const { status, body } of [await buy(product), await hold(product)]) {
        expect([status, body.errors[0].field]).toEqual([422, 'customer_ref']);
      }
      // What is wrong with a request is mended with the same key.
      const key = { 'Idempotency-Key': randomUUID() };
      for (let time = 0; time < 2; time++) {
        const { status, body } = await api.post('/orders', { product_id: product }, key);
        expect([status, body.errors[0].field]).toEqual([422, 'customer_ref']);
      }
      expect((await api.post('/orders', { product_id: product, customer_ref: 'dora' }, key)).status).toBe(201);
      const unnamed = await createLimited(null);
      const { body: held } = await hold(unnamed);
      await api.put(`/products/${unnamed}`, { max_per_customer: 1 });
      expect((await api.post('/orders', { reservation_id: held.id })).body.errors[0].field).toBe('customer_ref');
      expect((await api.get(`/products/${product}`)).body.stock).toBe(999);
    });

    it('a cancellation, a release and an expiry give it back, each once', async () => {
      const product = await createLimited(1);
      const { body: order } = await buy(product, 'alice');
      expect(codes([await buy(product, 'alice'), await hold(product, 'alice')])).toEqual([
        'CUSTOMER_LIMIT',
        'CUSTOMER_LIMIT',
      ]);
      await Promise.all(Array.from({ length: 5 }, () => api.post(`/orders/${order.id}/cancel`, {})));
      expect(await counts(product)).toEqual([[0, 0]]);
      const { body: held } = await hold(product, 'alice');
      expect(codes([await buy(product, 'alice')])).toEqual(['CUSTOMER_LIMIT']);
      await Promise.all(Array.from({ length: 5 }, () => api.delete(`/reservations/${held.id}`)));
      const { body: expiring } = await hold(product, 'alice');
      await environment.sql.query('UPDATE reservations SET expires_at = now() WHERE id = $1', [expiring.id]);
      await Promise.all([expiryOf(api).run(), expiryOf(api).run()]);
      expect(await counts(product)).toEqual([[0, 0]]);
      expect((await buy(product, 'alice')).status).toBe(201);
    });

    it('what is held becomes what is bought, and is counted once; what nobody held is counted when it is claimed', async () => {
      const product = await createLimited(2);
      const { body: held } = await hold(product, 'alice', 2);
      expect((await api.post('/orders', { reservation_id: held.id })).body.customer_ref).toBe('alice');
      expect(await counts(product)).toEqual([[2, 2]]);
      const later = await createLimited(null);
      const [one, two] = [await hold(later), await hold(later)];
      await api.put(`/products/${later}`, { max_per_customer: 1 });
      const claim = async ({ body: { id } }: Answer) =>
        api.post('/orders', { reservation_id: id, customer_ref: 'bob' });
      expect(codes([await claim(one), await claim(two)])).toEqual([201, 'CUSTOMER_LIMIT']);
      expect(await counts(later)).toEqual([[1, 1]]);
    });

    it('begins from what was bought before there was a limit, follows the limit, and forgets with it', async () => {
      const product = await createLimited(null);
      const orders = [await buy(product, 'alice'), await buy(product, 'alice'), await hold(product, 'alice')];
      expect(codes(orders)).toEqual([201, 201, 201]);
      await api.put(`/products/${product}`, { max_per_customer: 3 });
      expect((await buy(product, 'alice')).body).toMatchObject({ limit: 3, bought: 3 });
      await api.put(`/products/${product}`, { max_per_customer: 4 });
      expect((await buy(product, 'alice')).status).toBe(201);
      await api.put(`/products/${product}`, { max_per_customer: 1 });
      expect((await buy(product, 'alice')).body).toMatchObject({ limit: 1, bought: 4 });
      await api.post(`/orders/${orders[0]?.body.id}/cancel`, {});
      expect(await counts(product)).toEqual([[3, 3]]);
      await api.put(`/products/${product}`, { name: 'Other', max_per_customer: null });
      expect(await counts(product)).toEqual([]);
      expect((await buy(product, 'alice')).status).toBe(201);
      await api.put(`/products/${product}`, { max_per_customer: 5 });
      expect((await buy(product, 'alice')).status).toBe(201);
      expect(await counts(product)).toEqual([[5, 5]]);
    });

    it('stays exact while orders are made and cancelled at once', async () => {
      const product = await createLimited(3);
      const sold: number[] = [];
      await Promise.all(
        Array.from({ length: 20 }, async (_, index) => {
          for (let time = 0; time < 5; time++) {
            const client = processes[index % 2] ?? api;
            const { status, body } = await client.post(
              '/orders',
              { product_id: product, customer_ref: `c${index % 4}` },
              { 'Idempotency-Key': randomUUID() },
            );
            if (status !== 201) continue;
            if (time % 2 === 0) await client.post(`/orders/${body.id}/cancel`, {});
            else sold.push(body.id);
          }
        }),
      );
      for (const [counted, had] of await counts(product)) {
        expect(counted).toBe(had);
        expect(counted).toBeLessThanOrEqual(3);
      }
      const { body } = await api.get(`/products/${product}`);
      expect(body.stock).toBe(1_000 - sold.length);
    });

    it.each([0, -1, 1.5, '2', 1_000_001])('refuses a limit of %j', async (limit) => {
      const fields = { name: 'Console', price: 500, stock: 1, max_per_customer: limit };
      const { status, body } = await api.post('/products', fields);
      expect([status, body.errors[0].field]).toEqual([422, 'max_per_customer']);
    });
  },
);

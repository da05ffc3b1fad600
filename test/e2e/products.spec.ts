import { useApi } from '../support/use-api.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe('products over HTTP', () => {
  const { api } = useApi();

  describe('POST /products', () => {
    it('creates a product and says where it is', async () => {
      const { status, headers, body } = await api.post('/products', { name: '  Desk lamp ', price: 27.49, stock: 3 });
      expect(status).toBe(201);
      expect(headers.get('Location')).toBe(`/api/v1/products/${body.id}`);
      expect(body).toEqual({
        id: expect.any(Number),
        name: 'Desk lamp',
        max_per_customer: null,
        price: 27.49,
        stock: 3,
        created_at: expect.stringMatching(TIMESTAMP),
        updated_at: expect.stringMatching(TIMESTAMP),
      });
    });

    it.each([
      { name: 'a', price: 0.01, stock: 0 },
      { name: 'é'.repeat(255), price: 99_999_999.99, stock: 2_147_483_647 },
      { name: '😀'.repeat(255), price: 10, stock: 1 },
    ])('takes the ends of each range (%#)', async (product) => {
      const created = await api.post('/products', product);
      expect(created.status).toBe(201);
      expect((await api.get(`/products/${created.body.id}`)).body).toMatchObject(product);
    });

    it.each([
      ['name', { name: '' }],
      ['name', { name: '   ' }],
      ['name', { name: 'a'.repeat(256) }],
      ['name', { name: 'a\0b' }],
      ['name', { name: '\ud800' }],
      ['name', { name: 7 }],
      ['name', { name: null }],
      ['price', { price: 0 }],
      ['price', { price: -1 }],
      ['price', { price: 9.999 }],
      ['price', { price: 1e-7 }],
      ['price', { price: 100_000_000 }],
      ['price', { price: '9.99' }],
      ['price', { price: null }],
      ['stock', { stock: -1 }],
      ['stock', { stock: 1.5 }],
      ['stock', { stock: 2_147_483_648 }],
      ['stock', { stock: '1' }],
      ['stock', { stock: null }],
      ['color', { color: 'red' }],
      ['deletedAt', { deletedAt: null }],
    ])('refuses a wrong or unknown %s: %j', async (field, override) => {
      const { status, body } = await api.post('/products', { name: 'Lamp', price: 1, stock: 1, ...override });
      expect(status).toBe(422);
      expect(body).toMatchObject({
        code: 'VALIDATION_ERROR',
        errors: [{ field, message: expect.stringContaining(field) }],
      });
    });

    it('reports every problem at once', async () => {
      const { status, body } = await api.post('/products', { price: '1', extra: true });
      expect(status).toBe(422);
      expect(body.errors.map(({ field }: { field: string }) => field).sort()).toEqual([
        'extra',
        'name',
        'price',
        'stock',
      ]);
    });
  });

  describe('GET /products/{id}', () => {
    it('answers 404 with the sentence clients know', async () => {
      const { status, headers, body } = await api.get('/products/9999');
      expect(status).toBe(404);
      expect(headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
      expect(body).toEqual({
        type: 'about:blank',
        title: 'Not Found',
        status: 404,
        detail: 'Product with ID 9999 not found',
        instance: '/api/v1/products/9999',
        code: 'PRODUCT_NOT_FOUND',
        request_id: headers.get('X-Request-Id'),
      });
    });

    it.each(['abc', '1.5', '1e3', '0x10', '99999999999999999999', '%00'])('refuses the id %s', async (id) => {
      for (const path of [`/products/${id}`, `/products/${id}/cached`]) {
        const { status, body } = await api.get(path);
        expect(status).toBe(422);
        expect(body.errors).toEqual([{ field: 'id', message: 'id must be a whole number' }]);
      }
    });

    it.each(['0', '-1', '9007199254740991'])('misses the id %s', async (id) => {
      expect((await api.get(`/products/${id}`)).status).toBe(404);
    });
  });

  describe('PUT /products/{id}', () => {
    it('changes what is given, leaves what is absent and moves updated_at', async () => {
      const { body: before } = await api.post('/products', { name: 'Chair', price: 349, stock: 25 });
      const { status, body } = await api.put(`/products/${before.id}`, { price: 299.5 });
      expect(status).toBe(200);
      expect(body).toEqual({ ...before, price: 299.5, updated_at: expect.stringMatching(TIMESTAMP) });
      expect(Date.parse(body.updated_at)).toBeGreaterThan(Date.parse(before.updated_at));
      expect((await api.get(`/products/${before.id}`)).body).toEqual(body);
    });

    it('changes nothing for an empty object', async () => {
      const id = await api.createProduct();
      const before = (await api.get(`/products/${id}`)).body;
      expect(await api.put(`/products/${id}`, {})).toMatchObject({ status: 200, body: before });
    });

    it('refuses null, which is not absent, and changes nothing', async () => {
      const id = await api.createProduct();
      const before = (await api.get(`/products/${id}`)).body;
      for (const field of ['name', 'price', 'stock']) {
        const { status, body } = await api.put(`/products/${id}`, { name: 'Changed', [field]: null });
        expect(status).toBe(422);
        expect(body.errors).toMatchObject([{ field }]);
      }
      expect((await api.get(`/products/${id}`)).body).toEqual(before);
    });

    it('answers 404 for a product that is not there', async () => {
      expect((await api.put('/products/9999', { stock: 1 })).body.detail).toBe('Product with ID 9999 not found');
    });
  });

  describe('DELETE /products/{id}', () => {
    it('makes it a 404 everywhere, sells it no more, and keeps its orders readable', async () => {
      const id = await api.createProduct({ name: 'Doomed' });
      const order = await api.post('/orders', { product_id: id });
      expect((await api.get(`/products/${id}/cached`)).status).toBe(200);

      const { status, body } = await api.delete(`/products/${id}`);
      expect([status, body]).toEqual([204, undefined]);

      for (const path of [`/products/${id}`, `/products/${id}/cached`]) expect((await api.get(path)).status).toBe(404);
      expect((await api.put(`/products/${id}`, { stock: 1 })).status).toBe(404);
      expect((await api.delete(`/products/${id}`)).status).toBe(404);
      expect((await api.post('/orders', { product_id: id })).status).toBe(404);
      expect((await api.get('/products?search=Doomed')).body.total).toBe(0);
      expect((await api.get(`/orders/${order.body.id}`)).body.items).toMatchObject([{ product_id: id }]);
    });

    it('ignores the content type of an empty body', async () => {
      const id = await api.createProduct();
      const request = { method: 'DELETE', headers: { 'Content-Type': 'application/json' } };
      expect((await api.send(`/products/${id}`, request)).status).toBe(204);
    });
  });
});

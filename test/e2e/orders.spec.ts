import { useApi } from '../support/use-api.js';

const TIMESTAMP = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;

describe.each(['pessimistic', 'optimistic'])('orders over HTTP, %s', (ORDER_LOCKING) => {
  const { api } = useApi({ ORDER_LOCKING });

  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const countOrders = async () => (await api.get('/orders')).body.total;

  it('sells one product: takes its stock and answers the pending order', async () => {
    const id = await api.createProduct({ price: 89.9, stock: 5 });
    const { status, headers, body } = await api.post('/orders', { product_id: id, quantity: 2 });
    expect(status).toBe(201);
    expect(headers.get('Location')).toBe(`/api/v1/orders/${body.id}`);
    expect(body).toEqual({
      id: expect.any(Number),
      product_id: id,
      quantity: 2,
      total_price: 179.8,
      customer_ref: null,
      status: 'pending',
      items: [{ product_id: id, quantity: 2, unit_price: 89.9, line_total: 179.8 }],
      created_at: expect.stringMatching(TIMESTAMP),
      updated_at: expect.stringMatching(TIMESTAMP),
    });
    expect(await stockOf(id)).toBe(3);
    expect((await api.get(`/orders/${body.id}`)).body).toEqual(body);
    expect((await api.get(`/orders/${body.id}/status`)).body).toEqual({
      order_id: body.id,
      status: 'pending',
      created_at: body.created_at,
      updated_at: body.updated_at,
    });
  });

  it('sells one unit when no quantity is given', async () => {
    const id = await api.createProduct({ stock: 1 });
    expect((await api.post('/orders', { product_id: id })).body).toMatchObject({ quantity: 1 });
    expect(await stockOf(id)).toBe(0);
  });

  it('sells several products as one order without a product of its own', async () => {
    const [lamp, chair] = [
      await api.createProduct({ price: 0.1, stock: 9 }),
      await api.createProduct({ price: 349, stock: 9 }),
    ];
    const { status, body } = await api.post('/orders', {
      items: [{ product_id: chair }, { product_id: lamp, quantity: 3 }],
    });
    expect(status).toBe(201);
    expect(body).toMatchObject({
      product_id: null,
      quantity: 4,
      total_price: 349.3,
      items: [
        { product_id: lamp, quantity: 3, unit_price: 0.1, line_total: 0.3 },
        { product_id: chair, quantity: 1, unit_price: 349, line_total: 349 },
      ],
    });
    expect([await stockOf(lamp), await stockOf(chair)]).toEqual([6, 8]);
  });

  it('adds up items of one product before it looks at the stock', async () => {
    const id = await api.createProduct({ stock: 3 });
    const items = [{ product_id: id, quantity: 2 }, { product_id: id }];
    expect((await api.post('/orders', { items })).body).toMatchObject({ product_id: id, quantity: 3 });
    const { status, body } = await api.post('/orders', { items });
    expect([status, body.detail]).toEqual([400, 'Insufficient stock. Available: 0, Requested: 3']);
  });

  it('keeps the price of the moment of purchase', async () => {
    const id = await api.createProduct({ price: 10 });
    const { body } = await api.post('/orders', { product_id: id });
    await api.put(`/products/${id}`, { price: 20 });
    expect((await api.get(`/orders/${body.id}`)).body.items[0].unit_price).toBe(10);
  });

  it('refuses more than there is, with the sentence clients know, and changes nothing', async () => {
    const id = await api.createProduct({ stock: 2 });
    const before = [await countOrders(), (await api.get(`/products/${id}`)).body];
    const { status, body } = await api.post('/orders', { product_id: id, quantity: 3 });
    expect(status).toBe(400);
    expect(body).toMatchObject({
      code: 'INSUFFICIENT_STOCK',
      detail: 'Insufficient stock. Available: 2, Requested: 3',
    });
    expect([await countOrders(), (await api.get(`/products/${id}`)).body]).toEqual(before);
  });

  it('names the product that is short in an order of several, and sells none of them', async () => {
    const [plenty, short] = [await api.createProduct({ stock: 100 }), await api.createProduct({ stock: 2 })];
    const before = await countOrders();
    const { status, body } = await api.post('/orders', {
      items: [
        { product_id: short, quantity: 3 },
        { product_id: plenty, quantity: 100 },
      ],
    });
    expect([status, body.detail]).toEqual([400, `Insufficient stock for product ${short}. Available: 2, Requested: 3`]);
    expect([await stockOf(plenty), await stockOf(short), await countOrders()]).toEqual([100, 2, before]);
  });

  it('looks for every product before it compares any stock', async () => {
    const short = await api.createProduct({ stock: 0 });
    const { status, body } = await api.post('/orders', {
      items: [{ product_id: short }, { product_id: 9999 }, { product_id: 8888 }],
    });
    expect([status, body.detail]).toEqual([404, 'Product with ID 9999 not found']);
  });

  it('sells the most expensive order there can be to the cent, and refuses one above it', async () => {
    const dearest = { price: 99_999_999.99, stock: 2_147_483_647 };
    const [first, second] = [await api.createProduct(dearest), await api.createProduct({ ...dearest, price: 10_000 })];
    const response = await fetch(`${api.url}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json' },
      body: JSON.stringify({ items: [{ product_id: first, quantity: 999_999 }, { product_id: second }] }),
    });
    expect(response.status).toBe(201);
    expect(await response.text()).toContain('"total_price":99999900000000.01');

    const { status, body } = await api.post('/orders', {
      items: [
        { product_id: first, quantity: 1_000_000 },
        { product_id: second, quantity: 2 },
      ],
    });
    expect([status, body.code]).toEqual([422, 'ORDER_TOTAL_TOO_LARGE']);
    expect([await stockOf(first), await stockOf(second)]).toEqual([2_146_483_648, 2_147_483_646]);
  });

  it.each([
    ['product_id', {}],
    ['product_id', { quantity: 1 }],
    ['product_id', { product_id: null }],
    ['product_id', { product_id: '1' }],
    ['product_id', { product_id: 1.5 }],
    ['quantity', { product_id: 1, quantity: 0 }],
    ['quantity', { product_id: 1, quantity: -1 }],
    ['quantity', { product_id: 1, quantity: 1.5 }],
    ['quantity', { product_id: 1, quantity: 1_000_001 }],
    ['quantity', { product_id: 1, quantity: '1' }],
    ['quantity', { product_id: 1, quantity: null }],
    ['price', { product_id: 1, price: 0.01 }],
    ['items', { items: [] }],
    ['items', { items: null }],
    ['items', { items: {} }],
    ['items', { items: Array.from({ length: 101 }, (_, index) => ({ product_id: index })) }],
    ['items', { items: [{ product_id: 1 }], product_id: 1 }],
    ['items', { items: [{ product_id: 1 }], quantity: 1 }],
    ['items', { items: [{ product_id: 1, quantity: 1_000_000 }, { product_id: 1 }] }],
    ['items', { items: [[{ product_id: 1 }]] }],
    ['items.0', { items: [null] }],
    ['items.0.product_id', { items: [{ quantity: 1 }] }],
    ['items.0.quantity', { items: [{ product_id: 1, quantity: 0 }] }],
    ['items.0.quantity', { items: [{ product_id: 1, quantity: null }] }],
    ['items.0.price', { items: [{ product_id: 1, price: 1 }] }],
  ])('refuses a wrong %s: %j', async (field, order) => {
    const { status, body } = await api.post('/orders', order);
    expect(status).toBe(422);
    expect(body.errors).toContainEqual({ field, message: expect.any(String) });
  });

  it('refuses an order of 101 items however few products they are', async () => {
    const items = Array.from({ length: 101 }, () => ({ product_id: 1 }));
    expect((await api.post('/orders', { items })).status).toBe(422);
  });

  it('sells 100 products in one order', async () => {
    const ids = await Promise.all(Array.from({ length: 100 }, () => api.createProduct({ price: 0.01 })));
    const { status, body } = await api.post('/orders', { items: ids.map((product_id) => ({ product_id })) });
    expect([status, body.quantity, body.total_price]).toEqual([201, 100, 1]);
  });

  it.each(['/orders/7000', '/orders/7000/status'])('answers 404 on %s', async (path) => {
    const { status, body } = await api.get(path);
    expect([status, body.detail, body.code]).toEqual([404, 'Order with ID 7000 not found', 'ORDER_NOT_FOUND']);
  });

  it.each(['/orders/abc', '/orders/abc/status'])('refuses the id of %s', async (path) => {
    expect(await api.get(path)).toMatchObject({ status: 422, body: { errors: [{ field: 'id' }] } });
  });

  it('lists the newest first, page by page and by status', async () => {
    const id = await api.createProduct();
    const first = (await api.post('/orders', { product_id: id })).body;
    const second = (await api.post('/orders', { product_id: id })).body;

    const { body } = await api.get('/orders?page=1&page_size=2');
    expect(body.items).toEqual([second, first]);
    expect(body).toMatchObject({ page: 1, page_size: 2, total_pages: Math.ceil(body.total / 2) });
    expect((await api.get('/orders?status=pending&page_size=2')).body.items).toEqual([second, first]);
    expect((await api.get('/orders?status=completed')).body).toMatchObject({ items: [], total: 0, total_pages: 1 });
    expect((await api.get('/orders?page=1&page_size=10&status=')).status).toBe(200);
  });

  it.each([
    ['status', 'status=shipped'],
    ['page', 'page=0'],
    ['page_size', 'page_size=101'],
  ])('refuses a wrong %s: ?%s', async (field, query) => {
    expect(await api.get(`/orders?${query}`)).toMatchObject({ status: 422, body: { errors: [{ field }] } });
  });
});

import { useApi } from '../support/use-api.js';

describe('the stock of a product over HTTP', () => {
  const { api } = useApi();

  const movementsOf = async (id: number) => (await api.get(`/products/${id}/stock-movements?page_size=100`)).body.items;
  const told = (movements: { kind: string; quantity: number; stock_after: number }[]) =>
    movements.map(({ kind, quantity, stock_after }) => [kind, quantity, stock_after]);
  const adjust = (id: number, body: unknown) => api.post(`/products/${id}/stock-adjustments`, body);

  it('records each change of it, with its cause, and the newest comes first', async () => {
    const id = await api.createProduct({ stock: 10 });
    const order = (await api.post('/orders', { product_id: id, quantity: 3 })).body.id;
    await api.put(`/products/${id}`, { stock: 20 });
    await api.put(`/products/${id}`, { name: 'Same stock', stock: 20 });
    await adjust(id, { delta: -5, reason: ' damaged ' });
    await api.post(`/orders/${order}/cancel`);

    const movements = await movementsOf(id);
    expect(told(movements)).toEqual([
      ['release', 3, 18],
      ['adjustment', -5, 15],
      ['adjustment', 13, 20],
      ['sale', -3, 7],
      ['initial', 10, 10],
    ]);
    expect(movements[3]).toEqual({
      id: expect.any(Number),
      product_id: id,
      kind: 'sale',
      quantity: -3,
      stock_after: 7,
      order_id: order,
      reservation_id: null,
      reason: null,
      actor: null,
      request_id: expect.any(String),
      created_at: expect.stringMatching(/Z$/),
    });
    expect(movements.map(({ reason }: { reason: string }) => reason)).toEqual([
      'cancelled',
      'damaged',
      'set by PUT',
      null,
      null,
    ]);
    expect(movements[0].order_id).toBe(order);
  });

  it('leads through a long ledger by links, each movement once', async () => {
    const id = await api.createProduct({ stock: 100 });
    await Promise.all(Array.from({ length: 24 }, () => api.post('/orders', { product_id: id })));
    const seen: number[] = [];
    let path: string | undefined = `/api/v1/products/${id}/stock-movements?page_size=10`;
    const sizes: number[] = [];
    while (path !== undefined) {
      const response: Response = await fetch(new URL(path, api.url));
      const { items, next } = (await response.json()) as { items: { stock_after: number }[]; next: number | null };
      seen.push(...items.map(({ stock_after }) => stock_after));
      sizes.push(items.length);
      path = /<(.+)>; rel="next"/.exec(response.headers.get('Link') ?? '')?.[1];
      expect(path === undefined).toBe(next === null);
    }
    expect(sizes).toEqual([10, 10, 5]);
    expect(seen).toEqual(Array.from({ length: 25 }, (_, index) => 76 + index));
  });

  it('has no movement for a product that begins with nothing, and none of a product that is not there', async () => {
    const id = await api.createProduct({ stock: 0 });
    expect((await api.get(`/products/${id}/stock-movements`)).body).toEqual({ items: [], next: null });
    await api.delete(`/products/${id}`);
    for (const missing of [id, 9999]) {
      expect((await api.get(`/products/${missing}/stock-movements`)).status).toBe(404);
      expect((await adjust(missing, { delta: 1, reason: 'found' })).body.code).toBe('PRODUCT_NOT_FOUND');
    }
  });

  it('is adjusted by a difference, and answers with the movement', async () => {
    const id = await api.createProduct({ stock: 10 });
    await api.get(`/products/${id}/cached`);
    const { status, body } = await adjust(id, { delta: 4, reason: 'delivery', expected_stock: 10 });
    expect([status, body]).toEqual([201, (await movementsOf(id))[0]]);
    expect(body).toMatchObject({
      kind: 'adjustment',
      quantity: 4,
      stock_after: 14,
      reason: 'delivery',
      order_id: null,
    });
    expect((await api.get(`/products/${id}/cached`)).body.stock).toBe(14);
  });

  it('is left alone when it is not what the caller expects, who is told the true one', async () => {
    const id = await api.createProduct({ stock: 10 });
    const { status, body } = await adjust(id, { delta: 4, reason: 'delivery', expected_stock: 9 });
    expect([status, body.code, body.detail, body.stock]).toEqual([
      409,
      'STOCK_CONFLICT',
      'Stock is 10, expected 9',
      10,
    ]);
    expect(told(await movementsOf(id))).toEqual([['initial', 10, 10]]);
  });

  it.each([
    [10, -11],
    [2_147_483_647, 1],
  ])('does not leave its range: %i adjusted by %i', async (stock, delta) => {
    const id = await api.createProduct({ stock });
    const { status, body } = await adjust(id, { delta, reason: 'too far' });
    expect([status, body.code]).toEqual([400, 'STOCK_OUT_OF_RANGE']);
    expect((await api.get(`/products/${id}`)).body.stock).toBe(stock);
  });

  it('is adjusted by both of two who adjust it at once, and by one of two who expect the same', async () => {
    const id = await api.createProduct({ stock: 100 });
    await Promise.all(Array.from({ length: 20 }, (_, n) => adjust(id, { delta: n % 2 ? 3 : -1, reason: 'race' })));
    expect((await api.get(`/products/${id}`)).body.stock).toBe(120);
    const racing = Array.from({ length: 10 }, () => adjust(id, { delta: 1, reason: 'race', expected_stock: 120 }));
    const statuses = (await Promise.all(racing)).map(({ status }) => status).sort();
    expect(statuses).toEqual([201, ...Array.from({ length: 9 }, () => 409)]);
  });

  it.each([
    ['delta', { delta: 0 }],
    ['delta', { delta: 1.5 }],
    ['delta', { delta: '1' }],
    ['delta', { delta: 2_147_483_648 }],
    ['delta', { delta: null }],
    ['reason', { reason: '' }],
    ['reason', { reason: ' ' }],
    ['reason', { reason: 'a'.repeat(256) }],
    ['reason', { reason: undefined }],
    ['expected_stock', { expected_stock: -1 }],
    ['expected_stock', { expected_stock: null }],
    ['stock', { stock: 1 }],
  ])('refuses a wrong %s: %j', async (field, wrong) => {
    const id = await api.createProduct();
    const { status, body } = await adjust(id, { delta: 1, reason: 'x', ...wrong });
    expect([status, body.errors.map((error: { field: string }) => error.field)]).toEqual([422, [field]]);
    expect(await movementsOf(id)).toHaveLength(1);
  });
});

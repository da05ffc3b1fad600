import { useApi } from '../support/use-api.js';

describe('conditional requests for products', () => {
  const { api } = useApi();

  const tagOf = async (path: string) => (await api.get(path)).headers.get('ETag') ?? '';
  const create = async () => {
    const id = await api.createProduct();
    const path = `/products/${id}`;
    return { id, path, etag: await tagOf(path) };
  };

  it('give each state a strong tag of its own, the same by every way it is read or written', async () => {
    const created = await api.post('/products', { name: 'Tagged', price: 1, stock: 3 });
    const path = `/products/${created.body.id}`;
    const etag = created.headers.get('ETag') ?? '';
    expect(etag).toMatch(/^"[\w-]{20,}"$/);
    expect([await tagOf(path), await tagOf(`${path}/cached`), await tagOf(`${path}/cached`)]).toEqual([
      etag,
      etag,
      etag,
    ]);

    const tags = new Set([etag]);
    tags.add((await api.put(path, { price: 2 })).headers.get('ETag') ?? '');
    await api.post('/orders', { product_id: created.body.id });
    tags.add(await tagOf(path));
    await api.post(`${path}/stock-adjustments`, { delta: 1, reason: 'found' });
    tags.add(await tagOf(path));
    expect(tags.size).toBe(4);
    expect(await tagOf(`${path}/cached`)).toBe(await tagOf(path));
  });

  it.each(['', '/cached'])('answer 304 without a body to who has the state at hand (%s)', async (way) => {
    const { path, etag } = await create();
    for (const tags of [etag, `W/${etag}`, `"other", ${etag}`, '*']) {
      const { status, headers, body } = await api.get(`${path}${way}`, { 'If-None-Match': tags });
      expect([status, headers.get('ETag'), headers.get('Content-Type'), body]).toEqual([304, etag, null, undefined]);
    }
    for (const tags of ['"other"', '', 'abc*', etag.slice(1, -1)]) {
      expect((await api.get(`${path}${way}`, { 'If-None-Match': tags })).status).toBe(200);
    }
    await api.put(path, { price: 3 });
    expect((await api.get(`${path}${way}`, { 'If-None-Match': etag })).body.price).toBe(3);
    await api.delete(path);
    expect((await api.get(`${path}${way}`, { 'If-None-Match': '*' })).status).toBe(404);
  });

  it('change what the caller has seen, and nothing else', async () => {
    const { path, etag } = await create();
    const changed = await api.put(path, { price: 5 }, { 'If-Match': `"other", ${etag}` });
    expect([changed.status, changed.headers.get('ETag')]).toEqual([200, await tagOf(path)]);

    for (const stale of [etag, `W/${changed.headers.get('ETag')}`, '"other"', 'nonsense']) {
      const refused = await api.put(path, { price: 6, stock: 1 }, { 'If-Match': stale });
      expect([refused.status, refused.body.code]).toEqual([412, 'PRECONDITION_FAILED']);
      expect((await api.delete(path, { 'If-Match': stale })).status).toBe(412);
    }
    expect((await api.get(path)).body).toMatchObject({ price: 5, stock: 10 });
    expect((await api.put(path, { price: 7 }, { 'If-Match': '*' })).status).toBe(200);
    expect((await api.delete(path, { 'If-Match': await tagOf(path) })).status).toBe(204);
    expect((await api.put(path, { price: 7 }, { 'If-Match': '*' })).status).toBe(404);
  });

  it('do not change what was sold meanwhile', async () => {
    const { id, path, etag } = await create();
    await api.post('/orders', { product_id: id });
    expect((await api.put(path, { stock: 10 }, { 'If-Match': etag })).status).toBe(412);
    expect((await api.get(path)).body.stock).toBe(9);
  });

  it('lose no update: of many writers that have seen the same, one writes', async () => {
    const { path, etag } = await create();
    const writers = Array.from({ length: 10 }, (_, n) => api.put(path, { price: 100 + n }, { 'If-Match': etag }));
    const statuses = (await Promise.all(writers)).map(({ status }) => status).sort();
    expect(statuses).toEqual([200, ...Array.from({ length: 9 }, () => 412)]);
  });
});

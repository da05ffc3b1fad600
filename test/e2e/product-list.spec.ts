import { useApi } from '../support/use-api.js';

describe('GET /products', () => {
  const { api } = useApi();

  it('has one empty page when there is nothing', async () => {
    const { status, body } = await api.get('/products');
    expect(status).toBe(200);
    expect(body).toEqual({ items: [], total: 0, page: 1, page_size: 10, total_pages: 1 });
  });

  it('gives pages with the newest first', async () => {
    const ids = [];
    for (let index = 0; index < 12; index++) ids.push(await api.createProduct({ name: `Paged ${index}` }));
    const newestFirst = ids.toReversed();

    const pages = await Promise.all([1, 2, 3, 4].map((page) => api.get(`/products?page=${page}&page_size=5`)));

    expect(pages.map(({ body }) => body.items.map(({ id }: { id: number }) => id))).toEqual([
      newestFirst.slice(0, 5),
      newestFirst.slice(5, 10),
      newestFirst.slice(10),
      [],
    ]);
    for (const { body } of pages) expect(body).toMatchObject({ total: 12, page_size: 5, total_pages: 3 });
    expect((await api.get('/products?page=2147483647&page_size=100')).body.items).toEqual([]);
  });

  it('finds any part of a name, ignoring case, with %, _ and \\ as plain characters', async () => {
    for (const name of ['100% Wool', '100 Wool', 'snake_case', 'snakeXcase', 'back\\slash', 'ÉCLAIR']) {
      await api.createProduct({ name });
    }
    const find = async (search: string) => {
      const { body } = await api.get(`/products?search=${encodeURIComponent(search)}`);
      return body.items.map(({ name }: { name: string }) => name).sort();
    };
    expect(await find('wool')).toEqual(['100 Wool', '100% Wool']);
    expect(await find('0% W')).toEqual(['100% Wool']);
    expect(await find('E_C')).toEqual(['snake_case']);
    expect(await find('k\\s')).toEqual(['back\\slash']);
    expect(await find('éclair')).toEqual(['ÉCLAIR']);
    expect(await find("'; DROP TABLE products; --")).toEqual([]);
  });

  it('takes an empty search as none', async () => {
    expect((await api.get('/products?search=')).body.total).toBe((await api.get('/products')).body.total);
  });

  it.each([
    ['page', 'page=0'],
    ['page', 'page=abc'],
    ['page', 'page='],
    ['page', 'page=1.5'],
    ['page', 'page=2147483648'],
    ['page', 'page=1&page=2'],
    ['page_size', 'page_size=0'],
    ['page_size', 'page_size=101'],
    ['search', `search=${'a'.repeat(256)}`],
    ['search', 'search=%00'],
  ])('refuses a wrong %s: ?%s', async (field, query) => {
    const { status, body } = await api.get(`/products?${query}`);
    expect(status).toBe(422);
    expect(body.errors).toMatchObject([{ field }]);
  });
});

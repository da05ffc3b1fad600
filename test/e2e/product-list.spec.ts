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

  it.each(['', ' ', '%20%09', '%C2%A0', '%E3%80%80'])(
    'takes the search %j, in which nothing is looked for, as none',
    async (search) => {
      expect((await api.get(`/products?search=${search}`)).body.total).toBe((await api.get('/products')).body.total);
    },
  );

  it.each([
    ['composed', 'Caf\u00e9 cr\u00e8me', ['cafe\u0301', 'CRE\u0300ME', 'CAFÉ']],
    ['decomposed', 'Ta\u0304maki', ['tāmaki', 'TĀM', 'ā']],
    ['Greek, whose sigma has two small forms', 'ΣΊΣΥΦΟΣ ὈΔΥΣΣΕΎΣ', ['σίσυφος', 'Σίσυφοσ', 'ὀδυσσεύς', 'ς']],
    ['iota subscript', 'ᾠδή', ['ὠιδή', 'ᾨΔΉ', 'ὨΙΔΉ']],
    ['sharp s', 'Hauptstraße 5', ['HAUPTSTRASSE', 'strasse', 'STRAẞE', 'straße', 'ß']],
    ['full width', 'Ｌａｍｐ １２３', ['lamp 123', '１２', 'LAMP']],
    ['half width', 'ｶﾒﾗ', ['カメラ']],
    ['ligatures', 'Eﬃcient ﬁlter', ['efficient', 'FILTER', 'ffi']],
    ['Turkish', 'İstanbul', ['i̇stanbul']],
    ['Cyrillic', 'Фонарь налобный', ['фонарь', 'ФОНАРЬ', 'на', 'ь']],
    ['Chinese', '不锈钢保温杯', ['保温杯', '锈钢', '杯']],
    ['Japanese', '防水カメラ', ['カメラ', '防水']],
    ['Korean', '카메라 가방', ['카메라', '가방'.normalize('NFD')]],
    ['Arabic', 'مصباح يدوي', ['مصباح', 'يد']],
    ['Thai', 'ไฟฉาย', ['ไฟฉาย', 'ฉ']],
    ['Armenian', 'Երևան', ['երեւան', 'ԵՐԵՎԱՆ'.slice(0, 3)]],
    ['outside the first plane', '𝐋amp 🔦 𐐀', ['lamp', '🔦', '𐐨']],
    ['spaces', 'Desk lamp', ['  desk lamp ', 'desk\u00a0lamp', 'k l']],
  ])(
    'finds a name that is %s as a shopper would type it, and shows it as it was written',
    async (_what, name, searches) => {
      const id = await api.createProduct({ name });
      for (const search of searches) {
        const { body } = await api.get(`/products?search=${encodeURIComponent(search)}&page_size=100`);
        const found = body.items.find((item: { id: number }) => item.id === id);
        expect([search, found?.name]).toEqual([search, name]);
      }
      for (const other of ['zzz', 'щщ', '龘'])
        expect((await api.get(`/products?search=${encodeURIComponent(other)}`)).body.total).toBe(0);
    },
  );

  it('finds a product by its new name, and no more by its old one', async () => {
    const id = await api.createProduct({ name: 'Βιβλίο' });
    await api.put(`/products/${id}`, { name: 'ΤΕΤΡΆΔΙΟ' });
    const total = async (search: string) =>
      (await api.get(`/products?search=${encodeURIComponent(search)}`)).body.total;
    expect([await total('βιβλίο'), await total('τετράδιο')]).toEqual([0, 1]);
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

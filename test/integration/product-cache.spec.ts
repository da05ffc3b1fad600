import { Redis } from 'ioredis';
import { ProductCache } from '../../src/products/product-cache.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';

/** A point that the test lets others pass. */
function barrier() {
  let open: () => void = () => undefined;
  const passed = new Promise<void>((resolve) => (open = resolve));
  return { passed, open };
}

const read = (cache: ProductCache, id: number, load: () => Promise<string>) =>
  cache.read(id, { load, isCurrent: () => true });

describe('the product cache', () => {
  let environment: Environment;
  let one: Api;
  let other: Api;
  let redis: Redis;

  beforeAll(async () => {
    environment = await createEnvironment({ CACHE_TTL: '77' });
    [one, other] = await Promise.all([startApi(environment.config), startApi(environment.config)]);
    redis = new Redis(environment.config.cache.url);
  });

  afterAll(async () => {
    redis.disconnect();
    await Promise.all([one.close(), other.close()]);
    await environment.close();
  });

  const cachedBy = async (api: Api, id: number) => (await api.get(`/products/${id}/cached`)).body;

  it('gives the same body as the database, byte for byte', async () => {
    const id = await one.createProduct({ name: 'Ünï "quoted" \\ 😀', price: 10 });
    const texts = [];
    for (const path of ['', '/cached', '/cached'])
      texts.push(await (await fetch(`${one.url}/products/${id}${path}`)).text());
    expect(texts[1]).toBe(texts[0]);
    expect(texts[2]).toBe(texts[0]);
  });

  it('reads the second time from Redis, in another process as well', async () => {
    const id = await one.createProduct();
    await cachedBy(one, id);
    await environment.sql.query(`UPDATE products SET name = 'Changed behind the back' WHERE id = $1`, [id]);
    expect(await cachedBy(one, id)).toMatchObject({ name: 'Keyboard' });
    expect(await cachedBy(other, id)).toMatchObject({ name: 'Keyboard' });
  });

  it('does not serve what another version has cached, and puts its own in its place', async () => {
    const id = await one.createProduct();
    const key = `product:${id}:document`;
    // As version 1.0.0 wrote it, and as one may come.
    for (const foreign of ['"4fLb3w1yXlJr8eFjYv0oQm0Z5aE" {"id":1}', '"NEXT4fLb3w1yXlJr8eFjYv0oQm0Z5aE" {"id":1}']) {
      await redis.set(key, JSON.stringify(foreign));
      const { body } = await one.get(`/products/${id}/cached`);
      expect(body).toEqual((await one.get(`/products/${id}`)).body);
      await eventually(async () => expect(await redis.get(key)).toContain('Keyboard'));
    }
  });

  it('keeps a product for CACHE_TTL seconds', async () => {
    const id = await one.createProduct();
    await cachedBy(one, id);
    const ttlMs = await redis.pttl(`product:${id}:document`);
    expect(ttlMs).toBeGreaterThan(70_000);
    expect(ttlMs).toBeLessThanOrEqual(77_000);
  });

  it('shows a change, a sale and a removal at once, in every process', async () => {
    const id = await one.createProduct({ stock: 10 });
    await Promise.all([cachedBy(one, id), cachedBy(other, id)]);

    await one.put(`/products/${id}`, { price: 5 });
    expect(await cachedBy(other, id)).toMatchObject({ price: 5 });
    await other.post('/orders', { product_id: id, quantity: 4 });
    expect(await cachedBy(one, id)).toMatchObject({ stock: 6 });
    await one.delete(`/products/${id}`);
    expect((await other.get(`/products/${id}/cached`)).status).toBe(404);
  });

  it('loads once for many readers that wait for the same product', async () => {
    const cache = one.app.get(ProductCache, { strict: false });
    const { passed, open } = barrier();
    let loads = 0;
    const before = cache.misses;
    const readers = Array.from({ length: 50 }, () =>
      read(cache, 4_000_001, async () => {
        loads++;
        await passed;
        return '"loaded"';
      }),
    );
    await eventually(() => expect(cache.misses - before).toBe(50));
    open();
    expect(new Set(await Promise.all(readers))).toEqual(new Set(['"loaded"']));
    expect(loads).toBe(1);
  });

  it('tells every waiting reader of a failed load, and loads again for the next', async () => {
    const cache = one.app.get(ProductCache, { strict: false });
    const failing = () => read(cache, 4_000_002, () => Promise.reject(new Error('no database')));
    const outcomes = await Promise.allSettled([failing(), failing()]);
    expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(await read(cache, 4_000_002, () => Promise.resolve('"again"'))).toBe('"again"');
  });

  it.each(['the same process', 'another process'])(
    'never keeps what a reader loaded before a change that was made in %s',
    async (where) => {
      const id = where === 'the same process' ? 4_000_003 : 4_000_004;
      const reader = one.app.get(ProductCache, { strict: false });
      const writer = where === 'the same process' ? reader : other.app.get(ProductCache, { strict: false });
      const [loading, changed] = [barrier(), barrier()];

      const early = read(reader, id, async () => {
        loading.open();
        await changed.passed;
        return '"old"';
      });
      await loading.passed;
      await writer.drop([id]);
      const late = where === 'the same process' ? read(reader, id, () => Promise.resolve('"new"')) : undefined;
      expect(await late).toBe(late === undefined ? undefined : '"new"');
      changed.open();

      expect(await early).toBe('"old"');
      expect(await read(writer, id, () => Promise.resolve('"new"'))).toBe('"new"');
      // It is stored without keeping its reader waiting.
      await eventually(async () => expect(await redis.get(`product:${id}:document`)).toContain('new'));
      expect(await read(reader, id, () => Promise.resolve('"newer"'))).toBe('"new"');
    },
  );
});

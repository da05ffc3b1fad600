import { connect } from 'node:net';
import { useApi } from '../support/use-api.js';

const SHOP = 'https://shop.example';
const PRODUCT = JSON.stringify({ name: 'Lamp', price: 1, stock: 1 });

/** HTTP as libraries, browsers, proxies and attackers speak it. */
describe('the API on the web', () => {
  const { api } = useApi({
    CORS_ORIGINS: SHOP,
    PUBLIC_URL: 'https://public.example/orders',
    ALLOWED_HOSTS: 'intern, other:81',
  });

  /** What comes back for bytes as they are, each answer as text. */
  const raw = (text: string) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(api.url).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('close', () => resolve(answer));
    });
  const ask = (line: string, headers: readonly string[], body = '') =>
    raw([`${line} HTTP/1.1`, ...headers, 'Connection: close', '', body].join('\r\n'));
  const statusOf = (answer: string) => Number(/^HTTP\/1\.1 (\d+)/.exec(answer)?.[1]);
  const order = async () => (await api.post('/orders', { product_id: await api.createProduct() })).body.id as number;

  describe('takes a body of length 0 for none, whatever type a library names', () => {
    it.each([
      ['curl -d ""', ['Content-Type: application/x-www-form-urlencoded', 'Content-Length: 0'], ''],
      [
        'chunks with nothing in them',
        ['Content-Type: application/x-www-form-urlencoded', 'Transfer-Encoding: chunked'],
        '0\r\n\r\n',
      ],
      ['chunks of no type', ['Transfer-Encoding: chunked'], '0\r\n\r\n'],
      ['multipart', ['Content-Type: multipart/form-data; boundary=x', 'Content-Length: 0'], ''],
      ['JSON', ['Content-Type: application/json', 'Content-Length: 0'], ''],
      ['text', ['Content-Type: text/plain; charset=latin1', 'Content-Length: 0'], ''],
      ['a type that is none', ['Content-Type: x', 'Transfer-Encoding: chunked'], '0\r\n\r\n'],
      ['no header at all', [], ''],
    ] as const)('%s', async (_name, headers, body) => {
      const answer = await ask(`POST /api/v1/orders/${await order()}/cancel`, ['Host: localhost', ...headers], body);
      expect(statusOf(answer)).toBe(200);
      expect(answer).toContain('"status":"cancelled"');
    });

    it('and refuses one that has something in it', async () => {
      const headers = ['Host: localhost', 'Content-Type: application/x-www-form-urlencoded', 'Content-Length: 3'];
      expect(statusOf(await ask(`POST /api/v1/orders/${await order()}/cancel`, headers, 'a=b'))).toBe(415);
    });
  });

  it('lets a page of an allowed origin read every answer, also of a wrong method and of a path that cannot be decoded', async () => {
    for (const [line, status] of [
      ['DELETE /api/v1/products', 405],
      ['GET /api/v1/products/%zz', 400],
      ['GET /nothing', 404],
    ] as const) {
      const answer = await ask(line, ['Host: localhost', `Origin: ${SHOP}`]);
      expect([statusOf(answer), answer.toLowerCase()]).toEqual([
        status,
        expect.stringContaining(`access-control-allow-origin: ${SHOP}`),
      ]);
      const foreign = await ask(line.replace('DELETE', 'PUT').replace('PUT', 'GET'), [
        'Host: localhost',
        'Origin: https://evil.example',
      ]);
      expect(foreign.toLowerCase()).not.toContain('access-control-allow-origin: https://evil');
    }
  });

  it('refuses a request with two Host headers, even two that are equal', async () => {
    for (const second of ['localhost', 'evil.example']) {
      const answer = await ask('GET /api/v1/health', ['Host: localhost', `hOST: ${second}`]);
      expect([statusOf(answer), answer]).toEqual([400, expect.stringContaining('"code":"BAD_REQUEST"')]);
    }
  });

  it('takes a target in absolute form, and tells its path alone', async () => {
    expect(statusOf(await ask('GET http://evil.example/api/v1/health', ['Host: localhost']))).toBe(200);
    const answer = await ask('GET http://evil.example/api/v1/products/999999?x=1', ['Host: localhost']);
    expect(answer).toContain('"instance":"/api/v1/products/999999"');
    expect(answer).not.toContain('evil');
  });

  it.each([
    ['/health', 'no-store'],
    ['/orders', 'no-store'],
    ['/ops/workers', 'no-store'],
    ['/products', 'no-cache'],
  ])('says of %s who may keep it: %s', async (path, cacheControl) => {
    expect((await api.get(path)).headers.get('Cache-Control')).toBe(cacheControl);
  });

  it('lets a product be kept and asked for again, read from the database or the cache', async () => {
    const id = await api.createProduct();
    for (const path of [`/products/${id}`, `/products/${id}/cached`]) {
      const { headers } = await api.get(path);
      expect(headers.get('Cache-Control')).toBe('no-cache');
      const again = await api.get(path, { 'If-None-Match': headers.get('ETag') ?? '' });
      expect([again.status, again.headers.get('Cache-Control')]).toEqual([304, 'no-cache']);
    }
  });

  it('tells a client with a weak tag what would help', async () => {
    const id = await api.createProduct();
    const etag = (await api.get(`/products/${id}`)).headers.get('ETag') ?? '';
    const { status, body } = await api.put(`/products/${id}`, { price: 2 }, { 'If-Match': `W/${etag}` });
    expect([status, body.code, body.detail]).toEqual([
      412,
      'PRECONDITION_FAILED',
      expect.stringContaining('without the W/'),
    ]);
    expect((await api.delete(`/products/${id}`, { 'If-Match': `W/${etag}` })).status).toBe(412);
    const stale = await api.put(`/products/${id}`, { price: 2 }, { 'If-Match': '"other"' });
    expect(stale.body.detail).toContain('read it again');
    expect((await api.put(`/products/${id}`, { price: 2 }, { 'If-Match': etag })).status).toBe(200);
  });

  it.each([
    '\u200b',
    '\u2060\u200d',
    '\u00ad',
    '\ufeff',
    '\u3164',
    '\u115f\u1160',
    '\u2800',
    '\u202e\u202c',
    '\ufe0f',
    '\u{e0100}',
    'a\tb',
    'a\nb',
    'a\u0000b',
    'a\u007fb',
    'a\u0085b',
    'a\u001bb',
    ' \u200b ',
    '',
  ])('refuses the name %j', async (name) => {
    const id = await api.createProduct();
    for (const answer of [
      await api.post('/products', { name, price: 1, stock: 1 }),
      await api.put(`/products/${id}`, { name }),
    ])
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'name' }] } });
  });

  it.each(['می‌خواهم', 'क्‍ष', '👩‍👩‍👧', 'abc\u200f', 'e\u0301', '☃️', '⠓⠑⠇⠇⠕', '.'])(
    'takes the name %j, and keeps it as it is',
    async (name) => {
      expect((await api.post('/products', { name, price: 1, stock: 1 })).body.name).toBe(name);
    },
  );

  it.each(['_=1', 'utm_source=mail', 'Page=2', 'constructor=1', '__proto__=1', 'search[x]=1'])(
    'ignores the query ?%s',
    async (query) => {
      for (const path of ['/products', '/orders', '/health', '/products/1/stock-movements'])
        expect([200, 404]).toContain((await api.get(`${path}?${query}`)).status);
    },
  );

  describe('refuses what is cheap to send and dear to look at, at once and in few words', () => {
    const send = async (path: string, body: string) => {
      const before = performance.now();
      const response = await fetch(`${api.url}${path}`, {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      const text = await response.text();
      return { status: response.status, bytes: text.length, problem: JSON.parse(text), ms: performance.now() - before };
    };

    it.each([
      ['45 000 names', `{${Array.from({ length: 45_000 }, (_, index) => `"constructor${index}":1`).join()}}`],
      ['one name of a megabyte', `{"${'x'.repeat(1_000_000)}":1}`],
      [
        'a thousand names of a kilobyte',
        `{${Array.from({ length: 990 }, (_, index) => `"${index}${'y'.repeat(1_000)}":1`).join()}}`,
      ],
      [
        'a hundred items that are all wrong',
        `{"items":[${Array.from({ length: 100 }, () => '{"product_id":"x","quantity":0}').join()}]}`,
      ],
    ])('%s', async (_name, body) => {
      for (const path of ['/products', '/orders']) {
        const { status, bytes, problem } = await send(path, body);
        expect(status).toBe(422);
        expect(bytes).toBeLessThan(60_000);
        expect(problem.errors.length).toBeLessThanOrEqual(100);
      }
    });
  });

  describe('serves no page of another site', () => {
    const post = (headers: Record<string, string>) =>
      ask(
        'POST /api/v1/products',
        [
          'Host: localhost:8000',
          'Content-Type: application/json',
          `Content-Length: ${PRODUCT.length}`,
          ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
        ],
        PRODUCT,
      );

    it.each([
      [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' }],
      [{ 'Sec-Fetch-Site': 'same-site', Origin: 'http://localhost:3000' }],
      [{ 'Sec-Fetch-Site': 'cross-site' }],
      [{ Origin: 'https://evil.example' }],
      [{ Origin: 'null' }],
      [{ Origin: 'http://localhost:8001' }],
    ] as Record<string, string>[][])('that changes something: %j', async (headers = {}) => {
      const answer = await post(headers);
      expect([statusOf(answer), answer]).toEqual([403, expect.stringContaining('"code":"FORBIDDEN_ORIGIN"')]);
      const cancelled = await ask(`POST /api/v1/orders/${await order()}/cancel`, [
        'Host: localhost',
        'Content-Length: 0',
        ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
      ]);
      expect(statusOf(cancelled)).toBe(403);
    });

    it.each([
      [{}],
      [{ 'Sec-Fetch-Site': 'none' }],
      [{ 'Sec-Fetch-Site': 'same-origin', Origin: 'https://behind.a.proxy' }],
      [{ Origin: 'http://localhost:8000' }],
      [{ 'Sec-Fetch-Site': 'cross-site', Origin: SHOP }],
      [{ 'Sec-Fetch-Site': 'cross-site', Origin: 'https://public.example' }],
    ] as Record<string, string>[][])('and any other: %j', async (headers = {}) => {
      expect(statusOf(await post(headers))).toBe(201);
    });

    it('that only reads, for it may not see the answer', async () => {
      expect(
        statusOf(
          await ask('GET /api/v1/health', [
            'Host: localhost',
            'Sec-Fetch-Site: cross-site',
            'Origin: https://evil.example',
          ]),
        ),
      ).toBe(200);
    });

    it.each([
      'evil.example',
      'evil.example:8000',
      '127.0.0.1.evil.example',
      'localhost.evil.example',
      '10.0.0.1',
      '[::2]',
    ])('under the foreign name %s', async (host) => {
      for (const path of ['/api/v1/health', '/docs', '/openapi.json', '/nothing', '/%']) {
        const answer = await ask(`GET ${path}`, [`Host: ${host}`]);
        expect([statusOf(answer), answer]).toEqual([421, expect.stringContaining('"code":"UNKNOWN_HOST"')]);
      }
    });

    it.each([
      'localhost',
      'LOCALHOST:8000',
      'localhost.',
      '127.0.0.1:1',
      '127.1.2.3',
      '[::1]:8000',
      'public.example',
      'intern:9',
      'other:81',
    ])('and answers to the name %s', async (host) =>
      expect(statusOf(await ask('GET /api/v1/health', [`Host: ${host}`]))).toBe(200),
    );
  });

  it('leads to where a proxy shows it, by every address that it gives', async () => {
    const root = new URL('/', api.url);
    const created = await api.post('/products', { name: 'Lamp', price: 1, stock: 5 });
    expect(created.headers.get('Location')).toBe(`/orders/api/v1/products/${created.body.id}`);
    for (let more = 0; more < 2; more++) await api.createProduct();
    expect((await api.get('/products?page_size=1')).headers.get('Link')).toMatch(/^<\/orders\/api\/v1\/products\?/);
    expect(await (await fetch(root)).json()).toMatchObject({ docs: '/orders/docs', health: '/orders/api/v1/health' });
    const document = (await (await fetch(new URL('/openapi.json', root))).json()) as { servers: unknown };
    expect(document.servers).toMatchObject([{ url: 'https://public.example/orders' }]);
    for (const page of ['/docs', '/docs/', '/redoc', '/redoc/']) {
      const url = new URL(page, root);
      const addresses = [...(await (await fetch(url)).text()).matchAll(/["'](\.{1,2}\/[^"']+)["']/g)];
      expect(addresses.length).toBeGreaterThan(0);
      for (const [, address = ''] of addresses)
        expect([address, (await fetch(new URL(address, url))).status]).toEqual([address, 200]);
    }
  });

  it.each(['/api/v1/health', '/api/v1/nothing', '/%', '/docs', '/redoc', '/openapi.json', '/'])(
    'sends %s with headers that keep browsers from mischief',
    async (path) => {
      const { headers } = await fetch(new URL(path, api.url));
      expect(Object.fromEntries(headers)).toMatchObject({
        'x-content-type-options': 'nosniff',
        'referrer-policy': 'no-referrer',
        'content-security-policy': expect.stringMatching(/^[^,]*default-src 'none'[^,]*frame-ancestors 'none'[^,]*$/),
      });
    },
  );
});

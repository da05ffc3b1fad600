import { type IncomingHttpHeaders, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { brotliDecompressSync, gunzipSync } from 'node:zlib';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';

describe('HTTP', () => {
  let environment: Environment;
  let api: Api;
  let origin: string;

  beforeAll(async () => {
    environment = await createEnvironment({ CORS_ORIGINS: 'https://shop.example, https://admin.example' });
    api = await startApi(environment.config);
    origin = api.url.replace('/api/v1', '');
  });

  afterAll(async () => {
    await api.close();
    await environment.close();
  });

  it('answers every path with and without a trailing slash, with no redirect', async () => {
    const id = await api.createProduct();
    const order = await api.post('/orders/', { product_id: id });
    expect(order.status).toBe(201);
    const paths = ['/products', `/products/${id}`, `/products/${id}/cached`, '/orders', `/orders/${order.body.id}`];
    for (const path of [
      ...paths,
      `/orders/${order.body.id}/status`,
      '/health',
      '/health/ready',
      '/health/cache/stats',
    ]) {
      for (const variant of [path, `${path}/`]) {
        const { status } = await fetch(`${api.url}${variant}`, { redirect: 'error' });
        expect([variant, status]).toEqual([variant, 200]);
      }
    }
    expect((await api.post('/products/', { name: 'Slash', price: 1, stock: 1 })).status).toBe(201);
    expect((await api.put(`/products/${id}/`, { stock: 1 })).status).toBe(200);
    expect((await api.delete(`/products/${id}/`)).status).toBe(204);
  });

  it('tells at the root where everything is', async () => {
    const response = await fetch(origin);
    expect(await response.json()).toEqual({
      name: 'Order System',
      version: '1.0.0',
      docs: '/docs',
      redoc: '/redoc',
      health: '/api/v1/health',
    });
  });

  it.each(['/api/v1/nothing', '/nothing', '/api/v2/products', '/api/v1/products/1/2/3'])(
    'answers 404 on %s',
    async (path) => {
      const response = await fetch(`${origin}${path}`);
      expect(response.status).toBe(404);
      expect(response.headers.get('Content-Type')).toMatch(/^application\/problem\+json/);
      expect(await response.json()).toMatchObject({ code: 'NOT_FOUND', instance: path });
    },
  );

  it.each([
    ['PATCH', '/products/1', 'DELETE, GET, HEAD, PUT'],
    ['DELETE', '/products', 'GET, HEAD, POST'],
    ['PUT', '/orders/1/', 'GET, HEAD'],
    ['POST', '/health', 'GET, HEAD'],
  ])('answers 405 to %s %s and says what it takes', async (method, path, allow) => {
    const { status, headers, body } = await api.send(path, { method });
    expect([status, headers.get('Allow'), body.code]).toEqual([405, allow, 'METHOD_NOT_ALLOWED']);
  });

  it.each(['{"name"', 'null', '[]', '"text"', '7', '{"__proto__": {"stock": 1}}', '{"a": NaN}'])(
    'answers 422 to the body %s',
    async (body) => {
      const answer = await api.send('/products', {
        method: 'POST',
        headers: { 'Content-Type': 'application/json' },
        body,
      });
      expect(answer).toMatchObject({ status: 422, body: { errors: [{ field: 'body' }] } });
    },
  );

  it.each([
    ['500 000 numbers for items', () => `{"items":[${'1,'.repeat(500_000)}1]}`],
    ['60 000 unknown fields', () => `{${Array.from({ length: 60_000 }, (_, index) => `"f${index}":1`).join()}}`],
    ['a million brackets', () => `{"items":${'['.repeat(500_000)}${']'.repeat(500_000)}}`],
    ['six levels', () => '{"name":{"a":{"a":{"a":{"a":{"a":1}}}}}}'],
  ])('refuses %s before anything is made of them', async (_what, body) => {
    const request = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: body() };
    const answers = await Promise.all(['/orders', '/products'].map((path) => api.send(path, request)));
    for (const { status, body: problem } of answers) {
      expect(status).toBe(422);
      expect(problem.errors).toEqual([{ field: 'body', message: expect.stringMatching(/^body must not /) }]);
    }
  });

  it.each(['constructor', 'hasOwnProperty', 'toString', '__proto__', 'valueOf'])(
    'takes %s for the unknown field it is',
    async (name) => {
      const product = await api.createProduct();
      const bodies = [
        ['/products', `{"name":"x","price":1,"stock":1,"${name}":1}`],
        ['/orders', `{"items":[{"product_id":${product},"${name}":1}]}`],
      ] as const;
      for (const [path, body] of bodies) {
        const request = { method: 'POST', headers: { 'Content-Type': 'application/json' }, body };
        expect((await api.send(path, request)).status).toBe(422);
      }
      expect((await api.get(`/products?${name}=1&page_size=1`)).body.page_size).toBe(1);
    },
  );

  const answerTo = (text: string | Buffer) =>
    new Promise<string>((resolve) => {
      const socket = connect(Number(new URL(origin).port), '127.0.0.1', () => socket.write(text));
      let answer = '';
      socket.on('data', (data) => (answer += data.toString()));
      socket.on('close', () => resolve(answer));
    });

  it('lets a browser of an allowed origin read that a query is refused', async () => {
    const headers = { Origin: 'https://shop.example' };
    const response = await fetch(`${api.url}/products?page=0`, { headers });
    expect([response.status, response.headers.get('Access-Control-Allow-Origin')]).toEqual([422, headers.Origin]);
  });

  it('answers what is not HTTP, or a header too large, as a problem', async () => {
    const garbage = await answerTo('nonsense\r\n\r\n');
    expect(garbage).toMatch(/^HTTP\/1\.1 400 .*application\/problem\+json.*"code":"BAD_REQUEST"/s);
    const large = await answerTo(`GET / HTTP/1.1\r\nHost: localhost\r\nX-Large: ${'a'.repeat(20_000)}\r\n\r\n`);
    expect(large).toMatch(/^HTTP\/1\.1 431 .*"status":431/s);
  });

  it.each(['/docs/%2e%2e/package.json', '/docs/..%2fpackage.json', '/redoc/%2e%2e/%2e%2e/etc/passwd'])(
    'gives nothing away at %s',
    async (path) => {
      const status = await new Promise<number>((resolve) => {
        httpRequest({ host: '127.0.0.1', port: new URL(origin).port, path }, (response) =>
          resolve(response.resume().statusCode ?? 0),
        ).end();
      });
      expect([400, 403, 404]).toContain(status);
    },
  );

  it('answers 422 to a missing body', async () => {
    expect((await api.post('/products')).body.errors).toHaveLength(3);
    expect((await api.send('/products', { method: 'POST' })).body.errors).toHaveLength(3);
  });

  it.each(['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data', 'application/jsonp'])(
    'answers 415 to a body of %s',
    async (type) => {
      const answer = await api.send('/products', { method: 'POST', headers: { 'Content-Type': type }, body: '{}' });
      expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
    },
  );

  it.each(['application/json; charset=utf-8', 'APPLICATION/JSON', 'application/vnd.shop+json'])(
    'takes JSON as %s',
    async (type) => {
      const body = JSON.stringify({ name: 'Typed', price: 1, stock: 1 });
      expect((await api.send('/products', { method: 'POST', headers: { 'Content-Type': type }, body })).status).toBe(
        201,
      );
    },
  );

  const sendBytes = (path: string, bytes: Uint8Array, headers: Record<string, string> = {}) =>
    api.send(path, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...headers },
      body: Buffer.from(bytes),
    });
  const latin1 = (value: object) => Buffer.from(JSON.stringify(value), 'latin1');

  it('answers 422 to a body that is not UTF-8, wherever a text stands in it, and stores nothing of it', async () => {
    const id = await api.createProduct();
    const before = (await api.get('/products')).body.total;
    const order = (await api.post('/orders', { product_id: id })).body.id;
    const bodies = [
      ['/products', latin1({ name: 'Café', price: 1, stock: 1 })],
      [`/products/${id}/stock-adjustments`, latin1({ delta: 1, reason: 'gezählt' })],
      [`/orders/${order}/cancel`, latin1({ reason: 'Größe' })],
      [
        '/products',
        Buffer.from([...Buffer.from('{"name":"'), 0xed, 0xa0, 0x80, ...Buffer.from('","price":1,"stock":1}')]),
      ],
      ['/products', Buffer.from([...Buffer.from('{"name":"x'), 0xc3, ...Buffer.from('","price":1,"stock":1}')])],
      ['/products', Buffer.from(JSON.stringify({ name: 'Café', price: 1, stock: 1 }), 'utf16le')],
    ] as const;
    for (const [path, bytes] of bodies) {
      const key = { 'Idempotency-Key': 'not UTF-8' };
      expect(await sendBytes(path, bytes, key)).toMatchObject({
        status: 422,
        body: { errors: [{ field: 'body', message: 'body must be encoded as UTF-8' }] },
      });
    }
    expect((await api.get('/products')).body.total).toBe(before);
    const bytes = Buffer.from(JSON.stringify({ name: 'Café 😀', price: 1, stock: 1 }));
    expect((await sendBytes('/products', bytes)).body.name).toBe('Café 😀');
  });

  it.each([
    { 'Content-Type': 'application/json; charset=iso-8859-1' },
    { 'Content-Type': 'application/json;CHARSET="windows-1252"' },
    { 'Content-Type': 'application/json; profile=x; charset=utf-16' },
    { 'Content-Encoding': 'gzip' },
    { 'Content-Encoding': 'br, gzip' },
  ] as Record<string, string>[])('answers 415 to a body with %j', async (headers) => {
    const answer = await sendBytes('/products', Buffer.from('{"name":"x","price":1,"stock":1}'), headers);
    expect(answer).toMatchObject({ status: 415, body: { code: 'UNSUPPORTED_MEDIA_TYPE' } });
  });

  it.each([
    'application/json;charset=UTF-8',
    'application/json; charset="utf-8"',
    'application/json; charset=utf8; profile=x',
    'application/json; profile="charset"',
  ])('takes a body of %s', async (type) => {
    const bytes = Buffer.from('{"name":"x","price":1,"stock":1}');
    expect((await sendBytes('/products', bytes, { 'Content-Type': type, 'Content-Encoding': 'identity' })).status).toBe(
      201,
    );
  });

  it.each(['search=%ff', 'search=Caf%e9', 'search=%c3', 'page=1&search=a%c3%28', 'search=%ED%A0%80', '%ff=1'])(
    'answers 422 to the query %s, whose bytes are no UTF-8',
    async (query) => {
      expect(await api.get(`/products?${query}`)).toMatchObject({
        status: 422,
        body: { errors: [{ field: 'query', message: 'query must be percent-encoded UTF-8' }] },
      });
    },
  );

  it('finds by a percent-encoded query in UTF-8, and takes a lone % for the character', async () => {
    await api.createProduct({ name: '100% Crème brûlée' });
    const total = async (query: string) => (await api.get(`/products?search=${query}`)).body.total;
    expect([await total('cr%C3%A8me'), await total('100%'), await total('100%25%20cr')]).toEqual([1, 1, 1]);
    // Bytes that are not percent-encoded are no HTTP.
    const raw = await answerTo(Buffer.from('GET /api/v1/products?search=brûlée HTTP/1.1\r\nHost: localhost\r\n\r\n'));
    expect(raw).toMatch(/^HTTP\/1\.1 400 /);
  });

  it('takes a body of 1 MiB and answers 413 to one byte more', async () => {
    const send = (bytes: number) => {
      const body = `{"name":"${'a'.repeat(bytes - 11)}"}`;
      return api.send('/products', { method: 'POST', headers: { 'Content-Type': 'application/json' }, body });
    };
    expect((await send(1_048_576)).status).toBe(422);
    expect(await send(1_048_577)).toMatchObject({ status: 413, body: { code: 'BODY_TOO_LARGE' } });
  });

  it('answers 400 to a path that cannot be decoded', async () => {
    const status = await new Promise((resolve) => {
      httpRequest(`${api.url}/products/%zz`, (response) => resolve(response.resume().statusCode)).end();
    });
    expect(status).toBe(400);
  });

  it('keeps the request id of a client, and makes one where it is missing or not printable', async () => {
    const idFor = async (id?: string) => {
      const { headers, body } = await api.send('/nothing', id === undefined ? {} : { headers: { 'X-Request-Id': id } });
      expect(body.request_id).toBe(headers.get('X-Request-Id'));
      return body.request_id;
    };
    expect(await idFor('order-7/retry.1')).toBe('order-7/retry.1');
    for (const id of [undefined, 'a b', 'a'.repeat(129)]) expect(await idFor(id)).toMatch(/^[0-9a-f-]{36}$/);
  });

  it('allows the configured origins and no other', async () => {
    const allowedFor = async (from: string) => {
      const headers = { Origin: from, 'Access-Control-Request-Method': 'POST' };
      return (await fetch(`${api.url}/products`, { method: 'OPTIONS', headers })).headers.get(
        'Access-Control-Allow-Origin',
      );
    };
    expect(await allowedFor('https://shop.example')).toBe('https://shop.example');
    expect(await allowedFor('https://admin.example')).toBe('https://admin.example');
    expect(await allowedFor('https://evil.example')).toBeNull();
  });

  it.each([
    ['/docs', 'text/html', 'swagger-ui'],
    ['/docs/swagger-ui-bundle.js', 'text/javascript', 'SwaggerUI'],
    ['/redoc', 'text/html', '/openapi.json'],
    ['/redoc/redoc.standalone.js', 'text/javascript', 'openapi'],
    ['/openapi.json', 'application/json', '"openapi":"3.'],
  ])('serves %s itself', async (path, type, text) => {
    const response = await fetch(`${origin}${path}`);
    expect([response.status, response.headers.get('Content-Type')]).toEqual([200, expect.stringContaining(type)]);
    expect(await response.text()).toContain(text);
  });

  it('shows ReDoc from a script that has what the page imports, and asks no other host', async () => {
    const page = await (await fetch(`${origin}/redoc`)).text();
    const script = await (await fetch(`${origin}/redoc/redoc.standalone.js`)).text();
    expect(page).toMatch(/import \{ init \} from '\.\/redoc\/redoc\.standalone\.js\?v=[\w-]+';/);
    expect(page).toContain('disableTelemetry: true');
    expect(script).toMatch(/export\s*\{[^}]*\binit\b[^}]*\};?\s*$/);
    expect(script).not.toContain('cdn.redoc.ly');
    for (const path of ['/docs', '/redoc']) {
      expect(await (await fetch(`${origin}${path}`)).text()).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
    }
  });

  describe('pages', () => {
    const pages = ['/docs', '/docs/swagger-ui-bundle.js', '/redoc', '/redoc/redoc.standalone.js', '/openapi.json'];

    it.each(pages)('are compressed, and the same when they are unpacked: %s', async (path) => {
      const read = async (encoding: string) => {
        const { status, headers, bytes } = await readRaw(path, { 'Accept-Encoding': encoding });
        expect([status, headers.vary]).toEqual([200, 'Accept-Encoding']);
        return { encoding: headers['content-encoding'], bytes };
      };
      const [plain, gzip, brotli] = [await read('identity'), await read('gzip'), await read('gzip, br')];
      expect([plain.encoding, gzip.encoding, brotli.encoding]).toEqual([undefined, 'gzip', 'br']);
      expect(gunzipSync(gzip.bytes).equals(plain.bytes)).toBe(true);
      expect(brotliDecompressSync(brotli.bytes).equals(plain.bytes)).toBe(true);
    });

    it.each(pages)('are not sent again to who has them: %s', async (path) => {
      const first = await readRaw(path, { 'Accept-Encoding': 'br' });
      const etag = first.headers.etag ?? '';
      expect([etag, first.headers['cache-control']]).toEqual([expect.stringMatching(/^"[\w-]+-br"$/), 'no-cache']);
      const again = await readRaw(path, { 'Accept-Encoding': 'br', 'If-None-Match': etag });
      expect([again.status, again.bytes.length, again.headers.etag]).toEqual([304, 0, etag]);
      expect((await readRaw(path, { 'If-None-Match': '"another"' })).status).toBe(200);
    });

    it.each(['/docs', '/redoc'])(
      'name their scripts by what is in them, so that these are kept for good: %s',
      async (path) => {
        const page = (await readRaw(path)).bytes.toString();
        const addresses = [...page.matchAll(/["']\.(\/[\w/.-]+\?v=[\w-]+)["']/g)].map(([, address = '']) => address);
        expect(addresses.length).toBeGreaterThan(0);
        for (const address of addresses) {
          expect((await readRaw(address)).headers['cache-control']).toBe('public, max-age=31536000, immutable');
          expect((await readRaw(`${address}x`)).headers['cache-control']).toBe('no-cache');
        }
      },
    );

    const readRaw = (path: string, headers: Record<string, string> = {}) =>
      new Promise<{ status: number; headers: IncomingHttpHeaders; bytes: Buffer }>((resolve, reject) => {
        httpRequest(`${origin}${path}`, { headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.on('end', () =>
            resolve({ status: response.statusCode ?? 0, headers: response.headers, bytes: Buffer.concat(chunks) }),
          );
        })
          .on('error', reject)
          .end();
      });
  });

  it('reads a body in chunks of a byte, and keeps no more of it than it has bytes', async () => {
    const body = JSON.stringify({ product_id: await api.createProduct(), quantity: 1, name: 'x'.repeat(100_000) });
    const chunked = [...body].map((character) => `1\r\n${character}\r\n`).join('');
    const before = process.memoryUsage().rss;
    const unfinished = await Promise.all(Array.from({ length: 8 }, async () => openChunked(chunked)));
    expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20);
    for (const { end } of unfinished) expect(await end()).toMatch(/^HTTP\/1\.1 422 /);
  });

  /** Sends a purchase in chunks, and leaves the last one out until `end`. */
  const openChunked = async (chunked: string) => {
    const { hostname, port } = new URL(api.url);
    const socket = connect(Number(port), hostname);
    let received = '';
    socket.on('data', (data: Buffer) => (received += data.toString()));
    const head =
      'POST /api/v1/orders HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked';
    await new Promise<void>((resolve) => socket.write(`${head}\r\n\r\n${chunked}`, () => resolve()));
    await (await fetch(`${api.url}/health`)).text();
    const end = async () => {
      socket.write('0\r\n\r\n');
      await eventually(() => expect(received).not.toBe(''));
      socket.destroy();
      return received;
    };
    return { end };
  };
});

import { TransactionRunner } from '../../src/database/transactions/transaction-runner.js';
import { RowCountFolding } from '../../src/database/lists/row-count-folding.js';
import { createHash } from 'node:crypto';
import { request } from 'node:http';
import { Test } from '@nestjs/testing';
import { ConfigModule } from '../../src/config/config.module.js';
import { DatabaseModule } from '../../src/database/database.module.js';
import { IdempotencyKeyExpiry } from '../../src/idempotency/idempotency-key-expiry.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { openTransaction, untilBlockedBy } from '../support/waiting.js';

describe.each(['pessimistic', 'optimistic'])('requests that are sent again, %s', (ORDER_LOCKING) => {
  let environment: Environment;
  let apis: [Api, Api];
  let api: Api;
  let keys = 0;

  beforeAll(async () => {
    environment = await createEnvironment({ ORDER_LOCKING });
    apis = await Promise.all([startApi(environment.config), startApi(environment.config)]);
    [api] = apis;
  });

  afterAll(async () => {
    await Promise.all(apis.map((each) => each.close()));
    await environment.close();
  });

  const newKey = () => ({ 'Idempotency-Key': `key ${++keys} "~"` });
  const replayed = ({ headers }: Answer) => headers.get('Idempotent-Replayed');
  const stockOf = async (id: number) => (await api.get(`/products/${id}`)).body.stock;
  const ordersOf = async (id: number) =>
    (await environment.sql.query('SELECT FROM order_items WHERE product_id = $1', [id])).rows.length;

  /** Each thing that may be asked for twice: what is sent, and how often it has been done. */
  const OPERATIONS: Record<string, () => Promise<{ path: string; body: unknown; done: () => Promise<number> }>> = {
    'an order': async () => {
      const product_id = await api.createProduct({ stock: 10 });
      return { path: '/orders', body: { product_id, quantity: 2 }, done: () => ordersOf(product_id) };
    },
    'an order of several products': async () => {
      const ids = [await api.createProduct({ stock: 10 }), await api.createProduct({ stock: 10 })];
      const items = ids.map((product_id) => ({ product_id, quantity: 2 }));
      return { path: '/orders', body: { items }, done: () => ordersOf(ids[1] ?? 0) };
    },
    'a cancellation': async () => {
      const product_id = await api.createProduct({ stock: 10 });
      const { id } = (await api.post('/orders', { product_id })).body;
      return {
        path: `/orders/${id}/cancel`,
        body: { reason: 'twice' },
        done: async () => (await stockOf(product_id)) - 9,
      };
    },
    'a stock adjustment': async () => {
      const id = await api.createProduct({ stock: 10 });
      return {
        path: `/products/${id}/stock-adjustments`,
        body: { delta: 1, reason: 'found' },
        done: async () => (await stockOf(id)) - 10,
      };
    },
    'a stock adjustment that can be made once': async () => {
      const id = await api.createProduct({ stock: 10 });
      return {
        path: `/products/${id}/stock-adjustments`,
        body: { delta: -10, reason: 'lost', expected_stock: 10 },
        done: async () => (10 - (await stockOf(id))) / 10,
      };
    },
    'a reservation': async () => {
      const product_id = await api.createProduct({ stock: 10 });
      return {
        path: '/reservations',
        body: { items: [{ product_id, quantity: 2 }], ttl_seconds: 600 },
        done: async () => (10 - (await stockOf(product_id))) / 2,
      };
    },
    'a product': async () => {
      const name = `Once ${++keys}`;
      return {
        path: '/products',
        body: { name, price: 1, stock: 1 },
        done: async () => (await api.get(`/products?search=${name}`)).body.total,
      };
    },
  };
  const operations = Object.entries(OPERATIONS);

  it.each(operations)(
    'do %s once, and answer as the first time, in another process as well',
    async (_name, prepare) => {
      const { path, body, done } = await prepare();
      const key = newKey();
      const first = await api.post(path, body, key);
      expect([first.status < 300, replayed(first), await done()]).toEqual([true, null, 1]);
      for (const each of [...apis, api]) {
        const again = await each.post(`${path}/`, body, key);
        expect([again.status, again.body, replayed(again)]).toEqual([first.status, first.body, 'true']);
        for (const header of ['Location', 'ETag']) expect(again.headers.get(header)).toBe(first.headers.get(header));
      }
      expect(await done()).toBe(1);
    },
  );

  it.each(operations)('make one of fifty parallel sends of %s to two processes', async (_name, prepare) => {
    const { path, body, done } = await prepare();
    const key = newKey();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, n) => (n % 2 === 0 ? api : apis[1]).post(path, body, key)),
    );
    const told = new Map<string, number>();
    for (const answer of answers) {
      if (answer.status === 409) {
        expect(answer.body.code).toBe('IDEMPOTENCY_KEY_IN_USE');
        continue;
      }
      const text = JSON.stringify([answer.status, answer.body]);
      told.set(text, (told.get(text) ?? 0) + 1);
    }
    expect(told.size).toBe(1);
    expect(await done()).toBe(1);
    expect(answers.filter((answer) => answer.status < 300 && replayed(answer) === null)).toHaveLength(1);
  });

  it.each(operations)('refuse the key of %s for another body, or another thing', async (_name, prepare) => {
    const { path, body, done } = await prepare();
    const key = newKey();
    await api.post(path, body, key);
    const product_id = await api.createProduct();
    for (const [otherPath, otherBody] of [
      [path, { ...(body as object), reason: 'another', name: 'another', product_id, quantity: 3 }],
      ['/orders', { product_id }],
      ['/products', { name: 'Never', price: 1, stock: 0 }],
    ] as const) {
      const { status } = await api.post(otherPath, otherBody, key);
      expect(status).toBe(422);
    }
    const reused = await api.post('/orders', { product_id }, key);
    expect(reused.body.code).toBe('IDEMPOTENCY_KEY_REUSED');
    expect([await done(), await stockOf(product_id)]).toEqual([1, 10]);
  });

  it.each(operations)('take a key in quotes for the same as without them: %s is done once', async (_name, prepare) => {
    const { path, body, done } = await prepare();
    const plain = `both "ways" \\ ${++keys}`;
    const quoted = `"both \\"ways\\" \\\\ ${keys}"`;
    const [sent, sentAgain] = keys % 2 === 0 ? [plain, quoted] : [quoted, plain];
    const first = await api.post(path, body, { 'Idempotency-Key': sent });
    const again = await apis[1].post(path, body, { 'Idempotency-Key': sentAgain });
    expect([again.status, again.body, replayed(again), await done()]).toEqual([first.status, first.body, 'true', 1]);
    const { rows } = await environment.sql.query('SELECT key FROM idempotency_keys WHERE key IN ($1, $2)', [
      plain,
      quoted,
    ]);
    // As it was sent, for a process of the release before, which knows just that.
    expect(rows).toEqual([{ key: sent }]);
  });

  it.each(operations)('keep the digest of the key of %s, however it was sent', async (_name, prepare) => {
    const { path, body } = await prepare();
    const plain = `digest of ${path}`;
    await api.post(path, body, { 'Idempotency-Key': `"${plain}"` });
    const { rows } = await environment.sql.query('SELECT key_hash AS digest FROM idempotency_keys WHERE key = $1', [
      `"${plain}"`,
    ]);
    expect(rows).toEqual([{ digest: createHash('sha256').update(`\0${plain}`).digest() }]);
  });

  it.each(operations)('make one of parallel sends of %s with and without quotes', async (_name, prepare) => {
    const { path, body, done } = await prepare();
    const key = `parallel ${++keys}`;
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) => api.post(path, body, { 'Idempotency-Key': n % 2 === 0 ? key : `"${key}"` })),
    );
    expect(answers.filter((answer) => answer.status < 300 && replayed(answer) === null)).toHaveLength(1);
    expect(await done()).toBe(1);
  });

  it.each(operations)('refuse the header when it is there twice, and do not do %s', async (_name, prepare) => {
    const { path, body, done } = await prepare();
    const key = `twice ${++keys}`;
    for (const lines of [
      [key, key],
      [key, 'another'],
      [key, ''],
    ]) {
      const { status, body: problem } = await sendLines(path, body, lines);
      expect([status, problem.errors]).toEqual([
        422,
        [{ field: 'Idempotency-Key', message: 'Idempotency-Key must be sent once' }],
      ]);
    }
    expect(await done()).toBe(0);
  });

  /** With a line of the header for each key; fetch would join them. */
  const sendLines = (path: string, body: unknown, lines: readonly string[]) =>
    new Promise<{ status: number; body: { errors: unknown } }>((resolve, reject) => {
      const text = JSON.stringify(body);
      const length = ['Content-Length', String(Buffer.byteLength(text))];
      const headers = [
        'Host',
        'localhost',
        'Connection',
        'close',
        'Content-Type',
        'application/json',
        ...length,
        ...lines.flatMap((line) => ['Idempotency-Key', line]),
      ];
      const sent = request(`${api.url}${path}`, { method: 'POST', headers }, (response) => {
        let answer = '';
        response.on('data', (chunk: Buffer) => (answer += chunk.toString()));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, body: JSON.parse(answer) }));
      });
      sent.on('error', reject);
      sent.end(text);
    });

  it('answer a reservation as it was made, whatever became of it', async () => {
    const product_id = await api.createProduct();
    const key = newKey();
    const body = { items: [{ product_id }] };
    const first = await api.post('/reservations', body, key);
    await api.post('/orders', { reservation_id: first.body.id });
    const again = await apis[1].post('/reservations', body, key);
    expect([again.body, replayed(again)]).toEqual([first.body, 'true']);
  });

  it('are taken by every POST there is', async () => {
    const { paths } = JSON.parse(await (await fetch(api.url.replace('/api/v1', '/openapi.json'))).text());
    const without = Object.entries<Record<string, { parameters: { name: string }[] }>>(paths)
      .filter(([, { post }]) => post !== undefined && !post.parameters.some(({ name }) => name === 'Idempotency-Key'))
      .map(([path]) => path);
    expect(without).toEqual([]);
  });

  it('take the same body in another order of its fields for the same', async () => {
    const product_id = await api.createProduct();
    const key = newKey();
    const first = await api.post('/orders', { product_id, quantity: 2 }, key);
    expect((await api.post('/orders', { quantity: 2, product_id }, key)).body).toEqual(first.body);
  });

  it('answer an order as it was bought, whatever became of it', async () => {
    const product_id = await api.createProduct();
    const key = newKey();
    const first = await api.post('/orders', { product_id }, key);
    await api.post(`/orders/${first.body.id}/cancel`);
    await api.put(`/products/${product_id}`, { price: 1 });
    expect((await api.post('/orders', { product_id }, key)).body).toEqual(first.body);
  });

  it('are refused again as they were, also when they could be done by now', async () => {
    const product_id = await api.createProduct({ stock: 0 });
    const key = newKey();
    const first = await api.post('/orders', { product_id }, key);
    expect([first.status, first.body.detail]).toEqual([400, 'Insufficient stock. Available: 0, Requested: 1']);
    await api.put(`/products/${product_id}`, { stock: 5 });
    const again = await apis[1].post('/orders', { product_id }, key);
    expect([again.status, again.body.detail, again.body.code, replayed(again)]).toEqual([
      400,
      first.body.detail,
      first.body.code,
      'true',
    ]);
    expect(await stockOf(product_id)).toBe(5);
    expect((await api.post('/orders', { product_id }, newKey())).status).toBe(201);

    const missing = newKey();
    for (const expected of [null, 'true']) {
      const answer = await api.post('/products/9999/stock-adjustments', { delta: 1, reason: 'x' }, missing);
      expect([answer.status, replayed(answer)]).toEqual([404, expected]);
    }
  });

  it('are not kept when the request was not valid', async () => {
    const product_id = await api.createProduct();
    const key = newKey();
    expect((await api.post('/orders', { product_id, quantity: 0 }, key)).status).toBe(422);
    expect((await api.post('/orders', { product_id, quantity: 1 }, key)).status).toBe(201);
  });

  it('wait for the first one in another process, and are answered the same', async () => {
    const product_id = await api.createProduct();
    const holder = await openTransaction(environment.sql);
    await holder.query('SELECT FROM products WHERE id = $1 FOR UPDATE', [product_id]);
    const key = newKey();
    const sends = apis.map((each) => each.post('/orders', { product_id }, key));
    await untilBlockedBy(environment.sql, holder.pid, 1);
    await holder.end('ROLLBACK');
    const [one, other] = await Promise.all(sends);
    expect([one?.status, one?.body]).toEqual([201, other?.body]);
    expect([one, other].map((answer) => answer && replayed(answer)).sort()).toEqual([null, 'true']);
    expect(await stockOf(product_id)).toBe(9);
  });

  it.each(['', '""', 'a'.repeat(256), `"${'a'.repeat(256)}"`, 'é', 'tab\there'])('refuse the key %j', async (key) => {
    const product_id = await api.createProduct();
    for (const path of ['/orders', `/products/${product_id}/stock-adjustments`]) {
      const body = path === '/orders' ? { product_id } : { delta: 1, reason: 'x' };
      const { status, body: problem } = await api.post(path, body, { 'Idempotency-Key': key });
      expect([status, problem.errors[0].field]).toEqual([422, 'Idempotency-Key']);
    }
    expect(await stockOf(product_id)).toBe(10);
  });

  it('take a key of 255 characters', async () => {
    const product_id = await api.createProduct();
    for (const key of ['~'.repeat(255), `"${'-'.repeat(255)}"`]) {
      expect((await api.post('/orders', { product_id }, { 'Idempotency-Key': key })).status).toBe(201);
    }
  });

  it('are forgotten after IDEMPOTENCY_TTL, however many they are', async () => {
    const { sql, config } = environment;
    const insert = 'INSERT INTO idempotency_keys (key, fingerprint, body, created_at)';
    await sql.query(
      `${insert} SELECT 'old ' || n, '', '{}', now() - interval '1 day 1 s' FROM generate_series(1, 2500) AS n`,
    );
    await sql.query(`${insert} VALUES ('young', '', '{}', now() - interval '23 h 59 min')`);
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), DatabaseModule],
      providers: [IdempotencyKeyExpiry],
    }).compile();
    expect(await module.get(IdempotencyKeyExpiry).run()).toBe(2_500);
    const { rows } = await sql.query(`SELECT key FROM idempotency_keys WHERE key LIKE 'old %' OR key = 'young'`);
    expect(rows).toEqual([{ key: 'young' }]);
    await module.close();
  });

  it('are forgotten after five minutes when they were refused, so that random keys do not fill the disk', async () => {
    const { sql, config } = environment;
    const insert = `INSERT INTO idempotency_keys (key, fingerprint, error, created_at)
      SELECT 'refused ' || n, '', '{}', now() - $1::interval FROM generate_series(1, $2) AS n`;
    await sql.query(insert, ['301 s', 2_500]);
    await sql.query(insert.replace('refused ', 'just refused '), ['290 s', 3]);
    const module = await Test.createTestingModule({
      imports: [ConfigModule.forRoot(config), DatabaseModule],
      providers: [IdempotencyKeyExpiry],
    }).compile();
    expect(await module.get(IdempotencyKeyExpiry).run()).toBe(2_500);
    const { rows } = await sql.query(`SELECT count(*)::int AS kept FROM idempotency_keys WHERE key LIKE '%refused %'`);
    expect(rows).toEqual([{ kept: 3 }]);
    await module.close();
  });

  it('keep nobody from counting rows, whatever number their hash is', async () => {
    // The hash of this key is the number that the lock of the counts had.
    const holder = await openTransaction(environment.sql);
    await holder.query(`SELECT pg_advisory_xact_lock(hashtextextended('KPIZg=Q[O_j', 0))`, []);
    await api.createProduct();
    const folding = new RowCountFolding(api.app.get(TransactionRunner, { strict: false }));
    expect(await folding.run()).toBeGreaterThan(0);
    await holder.end('ROLLBACK');
  });
});

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { Agent, get, type IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';
import type { FastifyInstance } from 'fastify';
import { KeyRing } from '../../src/access/key-ring.js';
import { loadConfig } from '../../src/config/config.js';
import { LIMITS } from '../../src/config/limits.js';
import { doorOf } from '../../src/http/access/door.js';
import { isForCustomers, LIST_WEIGHT, type RouteAccess, scopesOf } from '../../src/http/access/route-access.js';
import { ACCESS_ROLE_NAMES, ACCESS_ROLES, type Scope, widened } from '../../src/kernel/access/scopes.js';
import { startApi } from '../support/api.js';
import { REAL, setLimits, useLimits } from '../support/limits.js';
import { openStream } from '../support/event-stream.js';
import { eventually } from '../support/eventually.js';
import { useApi } from '../support/use-api.js';
import { warningsDuring } from '../support/warnings.js';

const forCustomersToo = (...scopes: Scope[]) => ({ scopes, customers: true as const });
/** Who may use what. A route that is missing here fails the test, and so does one whose declaration has changed. */
const ROUTES: Record<string, RouteAccess> = {
  'GET /': 'caller',
  'GET /favicon.ico': 'public',
  'GET /openapi.json': 'docs',
  'GET /docs': 'docs',
  'GET /docs/swagger-ui.css': 'docs',
  'GET /docs/swagger-ui-bundle.js': 'docs',
  'GET /redoc': 'docs',
  'GET /redoc/redoc.standalone.js': 'docs',
  'GET /console': 'caller',
  'GET /api/v1/health': 'public',
  'GET /api/v1/health/ready': 'public',
  'GET /api/v1/health/cache/stats': 'public',
  'GET /api/v1/health/audit': ['ops:read'],
  'GET /api/v1/products': { ...forCustomersToo('products:read'), weight: LIST_WEIGHT },
  'POST /api/v1/products': ['products:write'],
  'GET /api/v1/products/:id': forCustomersToo('products:read'),
  'PUT /api/v1/products/:id': ['products:write'],
  'DELETE /api/v1/products/:id': ['products:write'],
  'GET /api/v1/products/:id/cached': forCustomersToo('products:read'),
  'GET /api/v1/products/:id/stock-movements': ['orders:read', 'stock:write'],
  'POST /api/v1/products/:id/stock-adjustments': ['stock:write'],
  'GET /api/v1/orders': { ...forCustomersToo('orders:read'), weight: LIST_WEIGHT },
  'POST /api/v1/orders': forCustomersToo('orders:create'),
  'GET /api/v1/orders/:id': forCustomersToo('orders:read'),
  'GET /api/v1/orders/:id/status': forCustomersToo('orders:read'),
  'GET /api/v1/orders/:id/events': forCustomersToo('orders:read'),
  'POST /api/v1/orders/:id/cancel': forCustomersToo('orders:create', 'orders:manage'),
  'POST /api/v1/reservations': forCustomersToo('reservations:write'),
  'GET /api/v1/reservations/:id': forCustomersToo('reservations:write', 'orders:read'),
  'DELETE /api/v1/reservations/:id': forCustomersToo('reservations:write'),
  'GET /api/v1/events': ['events:read'],
  'GET /api/v1/actions': ['ops:read'],
  'GET /api/v1/keys': ['keys:manage'],
  'POST /api/v1/keys': ['keys:manage'],
  'POST /api/v1/keys/:id/roll': ['keys:manage'],
  'DELETE /api/v1/keys/:id': ['keys:manage'],
  'GET /api/v1/ops/audit-runs': ['ops:read'],
  'POST /api/v1/ops/audit-runs': ['ops:manage'],
  'GET /api/v1/ops/console': 'caller',
  'GET /api/v1/ops/dead-letters': ['ops:read'],
  'POST /api/v1/ops/dead-letters/redrive': ['ops:manage'],
  'GET /api/v1/ops/flash-sales': ['ops:read'],
  'POST /api/v1/ops/flash-sales': ['ops:manage'],
  'POST /api/v1/ops/orders/:id/cancel': ['ops:manage'],
  'POST /api/v1/ops/products/:id/stock-adjustments': ['ops:manage'],
  'GET /api/v1/ops/queues': ['ops:read'],
  'GET /api/v1/ops/stats': ['ops:read'],
  'GET /api/v1/ops/workers': ['ops:read'],
};

// Most of this is about more of them.
useLimits({ addressRequests: Infinity });
const { environment, api } = useApi({ AUTH: 'required' });
const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

/** The first key, as `npm run keys` makes it: nobody is asked there who they are. */
async function firstKey(): Promise<string> {
  const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'off' }, 'api'));
  const { body } = await open.post('/keys', { name: 'admin', role: 'admin' });
  await open.close();
  return body.token;
}

let admin: string;
const makeKey = async (fields: object): Promise<{ id: number; token: string }> =>
  (await api.post('/keys', { name: 'test', ...fields }, bearer(admin))).body;
/** From here on the process knows all keys that there are. */
const refresh = () => api.app.get(KeyRing, { strict: false }).run();

describe('before there is a key', () => {
  it('nobody is let in, and each answer says how somebody is', async () => {
    const { status, headers, body } = await api.get('/products');
    expect([status, body.code, headers.get('www-authenticate')]).toEqual([
      401,
      'UNAUTHENTICATED',
      'Bearer realm="Order System"',
    ]);
    expect(body.detail).toMatch(/npm run keys -- create --name admin --role admin.*AUTH=off/s);
    expect((await api.get('/health')).body).toEqual({ status: 'healthy' });
    const checks = { database: true, redis: true };
    expect((await api.get('/health/ready')).body).toEqual({ status: 'ready', checks });
  });
});

describe('with keys', () => {
  // The same goes for guesses.
  useLimits({ guessesPerMinute: Infinity });

  beforeAll(async () => {
    admin = await firstKey();
    await refresh();
  });

  it('each route has its access, and lets in whoever has it and nobody else', async () => {
    const server: FastifyInstance = api.app.getHttpAdapter().getInstance();
    const declared = [...doorOf(server).declared].filter(([route]) => !/^HEAD |^GET \/console\/assets\//.test(route));
    expect(Object.fromEntries(declared)).toEqual(ROUTES);

    const { id, token: revoked } = await makeKey({ role: 'admin' });
    await api.delete(`/keys/${id}`, bearer(admin));
    const expiring = await makeKey({ role: 'admin', expires_at: new Date(Date.now() + 60_000).toISOString() });
    await environment.sql.query(`UPDATE api_keys SET expires_at = now() WHERE id = $1`, [expiring.id]);
    const callers: [string, Record<string, string>, ReadonlySet<Scope> | undefined, isCustomer?: true][] = [
      ['nobody', {}, undefined],
      ['a revoked key', bearer(revoked), undefined],
      ['an expired key', bearer(expiring.token), undefined],
      ['half a key', bearer(admin.slice(0, -1)), undefined],
      ['another secret of a key', bearer(admin.replace(/^(ord_sk_\d+_).*/, `$1${revoked.split('_')[3]}`)), undefined],
      ['a token without a signature', bearer('eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9.'), undefined],
    ];
    for (const role of ACCESS_ROLE_NAMES) {
      callers.push([role, bearer((await makeKey({ role })).token), widened(ACCESS_ROLES[role])]);
    }
    for (const scope of ['products:read', 'orders:create', 'keys:manage'] as const) {
      callers.push([scope, bearer((await makeKey({ scopes: [scope] })).token), widened([scope])]);
    }
    for (const role of ['storefront', 'admin'] as const) {
      const { token } = await makeKey({ role, customer_ref: 'alice' });
      callers.push([`a customer with the role ${role}`, bearer(token), widened(ACCESS_ROLES[role]), true]);
    }
    await refresh();
    const wrong: unknown[] = [];
    for (const [caller, headers, scopes, isCustomer = false] of callers) {
      for (const [route, access] of Object.entries(ROUTES)) {
        const [method = '', path = ''] = route.split(' ');
        const url = new URL(path.replace(':id', '987654321'), api.url);
        const body = method === 'POST' || method === 'PUT' ? { body: '{"unknown":1}' } : {};
        const response = await fetch(url, {
          method,
          headers: { 'Content-Type': 'application/json', ...headers },
          ...body,
        });
        await response.arrayBuffer();
        const needed = scopesOf(access);
        const isAllowed =
          access === 'public' ||
          (scopes !== undefined &&
            (needed === undefined || needed.some((scope) => scopes.has(scope))) &&
            (!isCustomer || isForCustomers(access)));
        const expected = isAllowed ? 'let in' : scopes === undefined ? 401 : 403;
        const found = [401, 403].includes(response.status) ? response.status : 'let in';
        if (found !== expected) wrong.push([caller, route, found, expected]);
      }
    }
    expect(wrong).toEqual([]);
  }, 120_000);

  it('what is not there is a 401 for nobody, and a 404 for whoever may come in', async () => {
    expect((await api.get('/nowhere')).status).toBe(401);
    expect((await api.get('/nowhere', bearer(admin))).status).toBe(404);
    expect((await api.send('/products', { method: 'PATCH' })).status).toBe(401);
    const preflight = { 'Access-Control-Request-Method': 'GET' };
    expect((await api.send('/products', { method: 'OPTIONS', headers: preflight })).status).toBe(401);
    expect((await api.send('/products', { method: 'PATCH', headers: bearer(admin) })).status).toBe(405);
  });

  it('a key that was let in ends when its time is over, and so does its secret of before, though nothing has changed', async () => {
    const soon = new Date(Date.now() + 8_000).toISOString();
    const { token: short } = await makeKey({ role: 'admin', expires_at: soon });
    const { id, token: before } = await makeKey({ role: 'admin' });
    const { token: after } = (await api.post(`/keys/${id}/roll`, { overlap_seconds: 8 }, bearer(admin))).body;
    await refresh();
    const statuses = async () =>
      Promise.all([short, before, after].map(async (token) => (await api.get('/products', bearer(token))).status));
    expect(await statuses()).toEqual([200, 200, 200]);
    await eventually(async () => expect(await statuses()).toEqual([401, 401, 200]));
  });

  it('tells what is wrong in detail to whoever may know', async () => {
    const { token } = await makeKey({ scopes: ['ops:read'] });
    const { token: ofCustomer } = await makeKey({ scopes: ['ops:read'], customer_ref: 'alice' });
    await refresh();
    expect((await api.get('/health/ready', bearer(token))).body.details).toMatchObject({ database: { status: 'up' } });
    expect((await api.get('/health/ready', bearer(ofCustomer))).body.details).toBeUndefined();
  });

  it('a refusal names the scope that is missing', async () => {
    const { token } = await makeKey({ scopes: ['products:read'] });
    await refresh();
    const { body } = await api.post('/products', { name: 'x', price: 1, stock: 1 }, bearer(token));
    expect(body).toMatchObject({ status: 403, code: 'FORBIDDEN', detail: 'This needs the scope products:write' });
    expect((await environment.sql.query('SELECT FROM products')).rowCount).toBe(0);
  });

  it('a key can make none that can do more than itself, nor take one over', async () => {
    const { token } = await makeKey({ scopes: ['keys:manage', 'products:read'] });
    const strong = await makeKey({ role: 'operator' });
    const soon = new Date(Date.now() + 60_000).toISOString();
    const late = new Date(Date.now() + 120_000).toISOString();
    const { token: short } = await makeKey({ role: 'admin', expires_at: soon });
    await refresh();
    const tries = [
      await api.post('/keys', { name: 'x', role: 'storefront' }, bearer(token)),
      await api.post('/keys', { name: 'x', scopes: ['ops:read'] }, bearer(token)),
      await api.post(`/keys/${strong.id}/roll`, {}, bearer(token)),
      await api.post('/keys', { name: 'x', scopes: ['products:read'] }, bearer(token)),
      await api.delete(`/keys/${strong.id}`, bearer(token)),
      await api.post('/keys', { name: 'x', role: 'storefront' }, bearer(short)),
      await api.post('/keys', { name: 'x', role: 'storefront', expires_at: late }, bearer(short)),
      await api.post(`/keys/${strong.id}/roll`, {}, bearer(short)),
      await api.post('/keys', { name: 'x', role: 'storefront', expires_at: soon }, bearer(short)),
    ];
    expect(tries.map(({ status }) => status)).toEqual([403, 403, 403, 201, 403, 403, 403, 403, 201]);
    expect(tries[1]?.body.detail).toContain('ops:read');
    expect(tries[3]?.body.created_by).toMatch(/^key:\d+$/);
  });

  it.each([
    [{}, 'name'],
    [{ name: 'x' }, 'role'],
    [{ name: 'x', role: 'boss' }, 'role'],
    [{ name: 'x', role: 'admin', scopes: ['ops:read'] }, 'role'],
    [{ name: 'x', scopes: [] }, 'scopes'],
    [{ name: 'x', scopes: ['ops:everything'] }, 'scopes'],
    [{ name: 'x', scopes: 'ops:read' }, 'scopes'],
    [{ name: 'x', role: 'admin', expires_at: '2020-01-01T00:00:00Z' }, 'expires_at'],
    [{ name: 'x', role: 'admin', expires_at: 'tomorrow' }, 'expires_at'],
    [{ name: 'x'.repeat(101), role: 'admin' }, 'name'],
  ])('refuses to make a key of %j', async (body, field) => {
    const { status, body: problem } = await api.post('/keys', body, bearer(admin));
    expect([status, problem.errors?.[0]?.field]).toEqual([422, field]);
  });

  it('keeps of a token its digest alone, and shows the token once, however often the request is sent', async () => {
    const headers = { ...bearer(admin), 'Idempotency-Key': randomUUID() };
    const first = await api.post('/keys', { name: 'once', role: 'storefront' }, headers);
    const second = await api.post('/keys', { name: 'once', role: 'storefront' }, headers);
    expect(first.status).toBe(201);
    expect(first.body.token).toMatch(new RegExp(`^ord_sk_${first.body.id}_[0-9A-Za-z]{49}$`));
    expect([second.status, second.body.code, second.body.id]).toEqual([409, 'KEY_ALREADY_ISSUED', first.body.id]);
    const rows = await environment.sql.query('SELECT to_jsonb(api_keys) AS row FROM api_keys');
    const kept = await environment.sql.query('SELECT to_jsonb(idempotency_keys) AS row FROM idempotency_keys');
    const actions = await environment.sql.query('SELECT to_jsonb(actions) AS row FROM actions');
    for (const token of [first.body.token, admin]) {
      expect(JSON.stringify([rows.rows, kept.rows, actions.rows])).not.toContain(token.split('_')[3]);
    }
    const { body } = await api.get('/keys?page_size=1', bearer(admin));
    expect(body.items).toMatchObject([{ id: first.body.id, name: 'once', role: 'storefront', created_by: 'key:1' }]);
    expect(body.next).toBe(first.body.id);
  });

  it('rolls a key: the old secret is good for the overlap, and no longer', async () => {
    const { id, token: old } = await makeKey({ role: 'storefront' });
    const rolled = await api.post(`/keys/${id}/roll`, { overlap_seconds: 60 }, bearer(admin));
    await refresh();
    const statuses = async (...tokens: string[]) =>
      Promise.all(tokens.map(async (token) => (await api.get('/products', bearer(token))).status));
    expect(await statuses(old, rolled.body.token)).toEqual([200, 200]);
    await environment.sql.query(`UPDATE api_keys SET previous_expires_at = now() WHERE id = $1`, [id]);
    await refresh();
    expect(await statuses(old, rolled.body.token)).toEqual([401, 200]);
    const again = await api.post(`/keys/${id}/roll`, {}, bearer(admin));
    await refresh();
    expect(await statuses(rolled.body.token, again.body.token)).toEqual([401, 200]);
    expect((await api.post('/keys/987654321/roll', {}, bearer(admin))).body.code).toBe('KEY_NOT_FOUND');
    await environment.sql.query(`UPDATE api_keys SET expires_at = now() WHERE id = $1`, [id]);
    expect((await api.post(`/keys/${id}/roll`, {}, bearer(admin))).body.code).toBe('KEY_NOT_FOUND');
  });

  it('a revoked key is refused within two seconds in every process, and its stream tells nothing more', async () => {
    const other = await startApi(environment.config);
    const { id, token } = await makeKey({ scopes: ['events:read', 'products:read', 'orders:create', 'orders:read'] });
    await refresh();
    await eventually(async () => expect((await other.get('/products', bearer(token))).status).toBe(200));
    const stream = await openStream(`${other.url}/events`, bearer(token));
    await api.delete(`/keys/${id}`, bearer(admin));
    const since = performance.now();
    for (const client of [api, other]) {
      await eventually(async () => expect((await client.get('/products', bearer(token))).status).toBe(401), 2_000);
    }
    expect(performance.now() - since).toBeLessThan(2_000);
    const product = await api.post('/products', { name: 'secret', price: 1, stock: 1 }, bearer(admin));
    await api.post('/orders', { product_id: product.body.id }, bearer(admin));
    await stream.ended;
    expect(stream.events).toEqual([]);
    await other.close();
  }, 30_000);

  it('a stream ends with the secret that it was opened by, though its key goes on', async () => {
    const { id, token } = await makeKey({ scopes: ['events:read'] });
    await refresh();
    const stream = await openStream(`${api.url}/events`, bearer(token));
    const rolled = await api.post(`/keys/${id}/roll`, {}, bearer(admin));
    const product = await api.post('/products', { name: 'secret', price: 1, stock: 1 }, bearer(admin));
    const order = await api.post('/orders', { product_id: product.body.id }, bearer(admin));
    await stream.ended;
    expect(stream.events.filter(({ data }) => data.order_id === order.body.id)).toEqual([]);
    expect((await api.get('/events', bearer(rolled.body.token))).status).toBe(200);
  }, 30_000);

  it('while PostgreSQL does not answer, the keys hold for a minute and are unknown after that', async () => {
    const { token } = await makeKey({ role: 'storefront' });
    await refresh();
    const ring = api.app.get(KeyRing, { strict: false });
    const before = LIMITS.keysKeptMs;
    expect(before).toBe(60_000);
    expect(ring.authenticate(token).actor).toMatch(/^key:/);
    Object.assign(LIMITS, { keysKeptMs: -1 });
    try {
      const { status, body, headers } = await api.get('/products', bearer(token));
      expect([status, body.code, headers.get('retry-after')]).toEqual([503, 'DATABASE_UNAVAILABLE', '1']);
    } finally {
      Object.assign(LIMITS, { keysKeptMs: before });
    }
  });

  it('asks each request of a connection who sends it, whatever the one before was sent by', async () => {
    const operator = await makeKey({ role: 'operator' });
    await refresh();
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const ports = new Set<unknown>();
    const asked: [number | undefined, unknown][] = [];
    const basic = `Basic ${Buffer.from(`me:${operator.token}`).toString('base64')}`;
    const bearers = [admin, operator.token, `${admin}x`, admin, operator.token].map((token) => `Bearer ${token}`);
    for (const authorization of [...bearers, undefined, basic, basic]) {
      const request = get(`${api.url}/ops/console`, { agent, headers: authorization ? { authorization } : {} });
      const [response] = (await once(request, 'response')) as [IncomingMessage];
      ports.add(request.socket?.localPort);
      const { actor } = JSON.parse(await text(response)) as { actor?: unknown };
      asked.push([response.statusCode, actor]);
    }
    agent.destroy();
    const [asAdmin, asOperator, asNobody] = [
      [200, 'key:1'],
      [200, `key:${operator.id}`],
      [401, undefined],
    ];
    expect(asked).toEqual([asAdmin, asOperator, asNobody, asAdmin, asOperator, asNobody, asOperator, asOperator]);
    expect(ports.size).toBe(1);
  });

  it('lets a browser in by a key as its password, and asks for it on pages alone', async () => {
    const root = new URL('/', api.url).href;
    const page = await fetch(`${root}console`, { headers: { Accept: 'text/html' } });
    expect([page.status, page.headers.get('www-authenticate')]).toEqual([
      401,
      'Basic realm="Order System", charset="UTF-8"',
    ]);
    const basic = (token: string) => ({ Authorization: `Basic ${Buffer.from(`me:${token}`).toString('base64')}` });
    expect((await fetch(`${root}docs`, { headers: basic(admin) })).status).toBe(200);
    expect((await api.get('/ops/console', basic(admin))).body).toMatchObject({ actor: 'key:1' });
    const script = await fetch(`${root}openapi.json`, { headers: { 'Sec-Fetch-Site': 'same-origin' } });
    expect(script.headers.get('www-authenticate')).toMatch(/^Basic /);
    expect((await api.get('/ops/console', basic('wrong'))).headers.get('www-authenticate')).toMatch(
      /^Bearer .*invalid_token/,
    );
  });

  it('looks at ten wrong tokens of an address in a minute, and logs two lines; right ones are always let in', async () => {
    setLimits({ guessesPerMinute: REAL.guessesPerMinute });
    const asked = await startApi(environment.config);
    const { result: statuses, warnings } = await warningsDuring(async () => {
      const all = [];
      for (let guess = 0; guess < 30; guess++) {
        const { status, headers } = await asked.get('/products', bearer(`wrong-${guess}`));
        all.push(status === 429 ? `429 ${Number(headers.get('retry-after')) > 0}` : status);
      }
      return all;
    });
    expect(statuses).toEqual([...Array(10).fill(401), ...Array(20).fill('429 true')]);
    expect((await asked.get('/products', bearer(admin))).status).toBe(200);
    expect(warnings.map((line) => line.split(' {')[0])).toEqual([
      'Wrong credentials',
      'Too many wrong credentials: no more are looked at for a minute',
    ]);
    await asked.close();
    setLimits({ guessesPerMinute: Infinity });
  });

  it('an Idempotency-Key belongs to its caller: nobody is answered with what another one was', async () => {
    const product = await api.post('/products', { name: 'x', price: 1, stock: 10 }, bearer(admin));
    const [one, two] = [await makeKey({ role: 'storefront' }), await makeKey({ role: 'storefront' })];
    await refresh();
    const buy = (token: string) =>
      api.post('/orders', { product_id: product.body.id }, { ...bearer(token), 'Idempotency-Key': 'the same' });
    const orders = [await buy(one.token), await buy(two.token), await buy(one.token)];
    expect(orders.map(({ status }) => status)).toEqual([201, 201, 201]);
    expect(orders[1]?.body.id).not.toBe(orders[0]?.body.id);
    expect(orders[2]?.body.id).toBe(orders[0]?.body.id);
  });

  it.each(['pessimistic', 'optimistic'])(
    'each movement and each event tells who has asked for it, and by which request (%s)',
    async (ORDER_LOCKING) => {
      const shop = await startApi(loadConfig({ ...environment.variables, ORDER_LOCKING }, 'api'));
      const { id, token } = await makeKey({ role: 'admin' });
      await shop.app.get(KeyRing, { strict: false }).run();
      const as = (request: string) => ({ ...bearer(token), 'X-Request-Id': request });
      const actor = `key:${id}`;
      const [a, b] = await Promise.all(
        ['a', 'b'].map(
          async (name) => (await shop.post('/products', { name, price: 1, stock: 9 }, as('makes'))).body.id,
        ),
      );
      const items = [a, b].map((product_id) => ({ product_id, quantity: 2 }));
      const order = await shop.post('/orders', { items }, as('buys'));
      await shop.post(`/orders/${order.body.id}/cancel`, {}, as('cancels'));
      const held = await shop.post('/reservations', { items }, as('holds'));
      await shop.delete(`/reservations/${held.body.id}`, as('releases'));
      const kept = await shop.post('/reservations', { items }, { ...as('keeps'), 'Idempotency-Key': randomUUID() });
      const confirmed = await shop.post('/orders', { reservation_id: kept.body.id }, as('confirms'));
      await shop.post(`/products/${a}/stock-adjustments`, { delta: 1, reason: 'x' }, as('adjusts'));
      await shop.put(`/products/${a}`, { stock: 3 }, as('puts'));
      for (const product of [a, b]) {
        const { body } = await shop.get(`/products/${product}/stock-movements?page_size=100`, bearer(token));
        const told = body.items.map((movement: Record<string, unknown>) => [
          movement.kind,
          movement.request_id,
          movement.actor,
        ]);
        expect(told.reverse()).toEqual([
          ['initial', 'makes', actor],
          ['sale', 'buys', actor],
          ['release', 'cancels', actor],
          ['hold', 'holds', actor],
          ['release', 'releases', actor],
          ['hold', 'keeps', actor],
          ...(product === a
            ? [
                ['adjustment', 'adjusts', actor],
                ['adjustment', 'puts', actor],
              ]
            : []),
        ]);
      }
      for (const [{ body }, expected] of [
        [order, ['buys', 'cancels']],
        [confirmed, ['confirms']],
      ] as const) {
        const events = (await shop.get(`/orders/${body.id}/events`, bearer(token))).body.items;
        expect(events.map((event: Record<string, unknown>) => [event.request_id, event.actor])).toEqual(
          expected.map((request) => [request, actor]),
        );
      }
      await shop.close();
    },
    30_000,
  );

  it('the actions tell what a product was before and after, and nothing where nothing has changed', async () => {
    const { id, token } = await makeKey({ role: 'operator' });
    await refresh();
    const as = { ...bearer(token), 'X-Request-Id': 'changes' };
    const { body: product } = await api.post('/products', { name: 'Tea', price: 2.5, stock: 3 }, as);
    await api.put(`/products/${product.id}`, { price: 2.5, name: 'Tea' }, as);
    await api.put(`/products/${product.id}`, { price: 3, stock: 5, max_per_customer: 2 }, as);
    await api.put(`/products/${product.id}`, { price: 0 }, as);
    await api.delete(`/products/${product.id}`, as);
    const { body } = await api.get('/actions?page_size=100', bearer(admin));
    const actions = body.items.filter(
      ({ details }: { details: { product_id?: number } }) => details.product_id === product.id,
    );
    const told = actions.map((action: Record<string, unknown>) => [
      action.type,
      action.actor,
      action.request_id,
      action.details,
    ]);
    const made = { name: 'Tea', price: '2.50', stock: 3, max_per_customer: null };
    expect(told.reverse()).toEqual([
      ['product.created', `key:${id}`, 'changes', { product_id: product.id, after: made }],
      [
        'product.changed',
        `key:${id}`,
        'changes',
        {
          product_id: product.id,
          before: { price: '2.50', stock: 3, max_per_customer: null },
          after: { price: '3.00', stock: 5, max_per_customer: 2 },
        },
      ],
      [
        'product.deleted',
        `key:${id}`,
        'changes',
        { product_id: product.id, before: { ...made, price: '3.00', stock: 5, max_per_customer: 2 } },
      ],
    ]);
  });

  it('the actions have samples of who was refused, and how often', async () => {
    const asked = await startApi(environment.config);
    const { id, token } = await makeKey({ scopes: ['products:read'] });
    await asked.app.get(KeyRing, { strict: false }).run();
    for (let time = 0; time < 3; time++) await asked.get(`/orders/${time}`, bearer(token));
    for (let time = 0; time < 2; time++) await asked.get('/nowhere', bearer('ord_sk_1_wrong'));
    await asked.close();
    const { body } = await api.get('/actions?page_size=10', bearer(admin));
    const refused = body.items.filter(({ type }: { type: string }) => type === 'access.refused');
    expect(refused).toMatchObject([
      { actor: null, details: { code: 'UNAUTHENTICATED', network: '127.0.0.1', method: 'GET', route: null, count: 2 } },
      { actor: `key:${id}`, details: { code: 'FORBIDDEN', route: '/api/v1/orders/:id', count: 3 } },
    ]);
  });

  it('an action tells who did it, and a key when it was used last', async () => {
    const { id, token } = await makeKey({ role: 'operator' });
    await refresh();
    await api.post('/ops/audit-runs', {}, bearer(token));
    const { body } = await api.get('/actions?page_size=1', bearer(admin));
    expect(body.items).toMatchObject([{ type: 'audit.requested', actor: `key:${id}` }]);
    const other = await startApi(environment.config);
    await other.get('/products', bearer(token));
    await other.close();
    const keys = await api.get('/keys?page_size=100', bearer(admin));
    const found = keys.body.items.find((key: { id: number }) => key.id === id);
    expect(Date.parse(found.last_used_at)).toBeGreaterThan(Date.parse(found.created_at) - 1_000);
  });
});

describe('AUTH', () => {
  const statusesWith = async (variables: Record<string, string>, headers: Record<string, string>[]) => {
    const open = await startApi(loadConfig({ ...environment.variables, ...variables }, 'api'));
    const statuses = [];
    for (const each of headers) statuses.push((await open.get('/products', each)).status);
    await open.close();
    return statuses;
  };
  const forwarded = { 'X-Forwarded-For': '192.0.2.1' };
  const standard = { Forwarded: 'for=192.0.2.1' };
  const wrong = bearer('ord_sk_1_wrong');

  it.each(['off', 'optional'])('%s: only a user of the machine itself makes a key without having one', async (AUTH) => {
    const open = await startApi(loadConfig({ ...environment.variables, AUTH }, 'api'));
    const key = { name: 'x', role: 'storefront' };
    const answers = [await open.post('/keys', key), await open.post('/keys', key, forwarded)];
    answers.push(await open.post(`/keys/1/roll`, {}, forwarded), await open.get('/keys', forwarded));
    expect(answers.map(({ status }) => status)).toEqual([201, 403, 403, 403]);
    expect((await open.post('/ops/audit-runs', {}, forwarded)).status).toBe(202);
    await open.close();
  });

  it('off: nobody is asked, whatever they send', async () => {
    expect(await statusesWith({ AUTH: 'off' }, [{}, forwarded, wrong])).toEqual([200, 200, 200]);
  });

  it('optional: nobody has to say who they are, and who does has to be right', async () => {
    expect(await statusesWith({ AUTH: 'optional' }, [{}, forwarded, wrong, bearer(admin)])).toEqual([
      200, 200, 401, 200,
    ]);
  });

  it('unset: users of the machine itself are not asked, and everybody behind a proxy is', async () => {
    const asked: Record<string, string>[] = [
      {},
      forwarded,
      standard,
      { 'x-forwarded-host': 'a' },
      { via: '1.1 a' },
      { 'cf-connecting-ip': '192.0.2.1' },
      { 'x-client-ip': '192.0.2.1' },
      { ...forwarded, ...bearer(admin) },
    ];
    expect(await statusesWith({ AUTH: '' }, asked)).toEqual([200, 401, 401, 401, 401, 401, 401, 200]);
    expect(await statusesWith({ AUTH: '', HOST: '0.0.0.0' }, [{}, bearer(admin)])).toEqual([401, 200]);
  });

  it('DOCS=public leaves the pages open, and nothing else', async () => {
    const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'required', DOCS: 'public' }, 'api'));
    const root = new URL('/', open.url).href;
    const statuses = [];
    for (const path of ['docs', 'redoc', 'openapi.json', 'console', 'api/v1/products']) {
      statuses.push((await fetch(`${root}${path}`)).status);
    }
    await open.close();
    expect(statuses).toEqual([200, 200, 200, 401, 401]);
  });

  it('wrong values stop the start', () => {
    const load = () => loadConfig({ ...environment.variables, AUTH: 'maybe', DOCS: 'open' }, 'api');
    expect(load).toThrow(
      /AUTH must be one of off, optional, required, not "maybe".*DOCS must be one of public, private/s,
    );
  });

  it('lets pages of allowed origins ask before they send, and read why they are refused', async () => {
    const variables = { ...environment.variables, AUTH: 'required', CORS_ORIGINS: 'https://shop.example' };
    const open = await startApi(loadConfig(variables, 'api'));
    const origin = { Origin: 'https://shop.example' };
    const preflight = {
      ...origin,
      'Access-Control-Request-Method': 'POST',
      'Access-Control-Request-Headers': 'authorization',
    };
    const asked = await fetch(`${open.url}/orders`, { method: 'OPTIONS', headers: preflight });
    expect([asked.status, asked.headers.get('access-control-allow-headers')]).toEqual([204, 'authorization']);
    const refused = await open.get('/products', origin);
    expect([refused.status, refused.headers.get('access-control-allow-origin')]).toEqual([401, 'https://shop.example']);
    await open.close();
  });
});

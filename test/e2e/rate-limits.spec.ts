import { setTimeout as delay } from 'node:timers/promises';
import { KeyRing } from '../../src/access/key-ring.js';
import { CacheConnection } from '../../src/cache/cache-connection.js';
import { RateLimiter } from '../../src/access/rate-limiter.js';
import { loadConfig } from '../../src/config/config.js';
import { weightOf } from '../../src/http/access/route-access.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { REAL, setLimits } from '../support/limits.js';
import { eventually } from '../support/eventually.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';

let environment: Environment;
let redis: OwnRedis;
const running: Api[] = [];

/** A process of its own, on the database and the Redis of all of them. */
async function start(overrides: Record<string, string>): Promise<Api> {
  const api = await startApi(loadConfig({ ...environment.variables, ...redis.urls, ...overrides }, 'api'));
  running.push(api);
  await api.app.get(KeyRing, { strict: false }).run();
  return api;
}

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const from = (address: string) => ({ 'X-Forwarded-For': address });
const statuses = (answers: readonly Answer[]) => answers.map(({ status }) => status);
const times = async (count: number, request: () => Promise<Answer>): Promise<Answer[]> => {
  const answers = [];
  for (let time = 0; time < count; time++) answers.push(await request());
  return answers;
};
/** Reads nothing from anywhere. */
const CHEAP = '/ops/console';
let key: string;

beforeAll(async () => {
  redis = await startOwnRedis();
  environment = await createEnvironment();
  const open = await start({ AUTH: 'off' });
  key = (await open.post('/keys', { name: 'shop', role: 'admin' })).body.token;
});

afterEach(async () => {
  setLimits(REAL);
  redis.thaw();
  for (const api of running.splice(0)) await api.close();
});

afterAll(async () => {
  await environment.close();
  await redis.stop();
});

/** Sends requests at once; gives the answers, and how many of them a rate may have let in while that took, however slow the machine is. */
async function burst(count: number, perSecond: number, request: (index: number) => Promise<Answer>) {
  const begin = performance.now();
  const answers = await Promise.all(Array.from({ length: count }, async (_, index) => request(index)));
  const most = perSecond * (1 + (performance.now() - begin) / 1_000) + 1;
  const allowed = answers.filter(({ status }) => status !== 429).length;
  return { answers, allowed, most, refused: answers.find(({ status }) => status === 429) };
}

it('lets a burst of a second in, refuses what is more, says where the caller stands, and goes on at the rate', async () => {
  const api = await start({ AUTH: 'required', RATE_LIMIT: '10/s' });
  const first = await api.get(CHEAP, bearer(key));
  expect(first.headers.get('ratelimit-policy')).toBe('"caller";q=10;w=1');
  expect(first.headers.get('ratelimit')).toBe('"caller";r=9;t=1');
  const { allowed, most, refused } = await burst(150, 10, () => api.get(CHEAP, bearer(key)));
  expect(allowed).toBeGreaterThanOrEqual(9);
  expect(allowed).toBeLessThanOrEqual(most);
  expect([refused?.headers.get('retry-after'), refused?.headers.get('ratelimit')]).toEqual(['1', '"caller";r=0;t=1']);
  expect(refused?.body).toMatchObject({
    code: 'RATE_LIMITED',
    detail: 'More than 10 requests a second; try again in 1 s',
  });
  // Nobody is kept from knowing whether it lives.
  expect(statuses(await times(5, () => api.get('/health', bearer(key))))).toEqual([200, 200, 200, 200, 200]);
  await eventually(async () => expect((await api.get(CHEAP, bearer(key))).status).toBe(200));
});

it('a list counts as five, and a request that is refused for another reason counts as well', async () => {
  const api = await start({ AUTH: 'off', RATE_LIMIT: '10/s' });
  const lists = await burst(100, 10 / 5, () => api.get('/products'));
  expect(lists.allowed).toBeLessThanOrEqual(lists.most);
  const nothing = await burst(150, 10, () => api.get('/nowhere'));
  expect(nothing.allowed).toBeLessThanOrEqual(nothing.most);
  expect(new Set(statuses(nothing.answers))).toContain(429);
});

it('limits by their address whom it does not let in', async () => {
  const api = await start({ AUTH: 'required', RATE_LIMIT: '10/s', TRUST_PROXY: 'loopback' });
  const { answers, allowed, most, refused } = await burst(150, 10, () => api.get(CHEAP, from('203.0.113.7')));
  expect(new Set(statuses(answers))).toEqual(new Set([401, 429]));
  expect(allowed).toBeLessThanOrEqual(most);
  expect([refused?.headers.get('ratelimit'), refused?.headers.get('retry-after')]).toEqual(['"address";r=0;t=1', '1']);
  // Nobody else is.
  expect((await api.get(CHEAP, from('203.0.113.8'))).status).toBe(401);
  expect((await api.get(CHEAP, { ...bearer(key), ...from('203.0.113.7') })).status).toBe(200);
});

/** What a process counts from here on: of whom, at which rate, and how much. */
function countedBy(api: Api): [caller: string, perSecond: number, weight: number][] {
  const limiter = api.app.get(RateLimiter, { strict: false });
  const counted: [string, number, number][] = [];
  const take: RateLimiter['take'] = (caller, rate, weight) => {
    counted.push([caller, rate.perSecond, weight]);
    return RateLimiter.prototype.take.call(limiter, caller, rate, weight);
  };
  Object.assign(limiter, { take });
  return counted;
}

it('what a request brings counts as well, by its length or for being in chunks', async () => {
  const api = await start({ AUTH: 'required' });
  const counted = countedBy(api);
  const text = (count: number) =>
    JSON.stringify({ items: Array.from({ length: count }, (_, index) => ({ product_id: index + 1, quantity: 1 })) });
  const send = async (body: string | ReadableStream) =>
    fetch(`${api.url}/orders`, {
      method: 'POST',
      headers: { 'Content-Type': 'application/json', ...bearer(key) },
      body,
      ...(typeof body === 'string' ? {} : { duplex: 'half' }),
    });
  for (const body of [text(1), text(50), text(100), new Blob([text(1)]).stream()]) await send(body);
  const ofFifty = 1 + Math.floor(text(50).length / 512);
  expect(ofFifty).toBeGreaterThan(1);
  expect(counted.map(([, , weight]) => weight)).toEqual([1, ofFifty, 6, 6]);
  // A length is claimed in a moment, and nobody is shut out for it.
  const claim = (length: string) => weightOf(1, { 'content-length': length });
  expect(['0', '511', '512', '9000000000000000000', '9'.repeat(400)].map(claim)).toEqual([1, 1, 2, 6, 6]);
});

it('counts keys by themselves, and whoever has none by address', async () => {
  const api = await start({ AUTH: 'optional', TRUST_PROXY: 'loopback' });
  const counted = countedBy(api);
  expect((await api.get(CHEAP, bearer(key))).headers.get('ratelimit-policy')).toBe('"caller";q=1000;w=1');
  expect((await api.get(CHEAP, from('203.0.113.7'))).headers.get('ratelimit')).toBe('"address";r=99;t=1');
  await api.get('/products', from('2001:db8:1:1::1'));
  await api.get(CHEAP, from('2001:db8:1:1:ffff::2'));
  await api.get(CHEAP, from('2001:db8:1:2::1'));
  expect(counted).toEqual([
    ['key:1', 1_000, 1],
    ['203.0.113.7', 100, 1],
    ['2001:db8:1:1::/64', 100, 5],
    ['2001:db8:1:1::/64', 100, 1],
    ['2001:db8:1:2::/64', 100, 1],
  ]);
});

it('believes nobody but the named proxies about an address', async () => {
  const api = await start({ AUTH: 'off', RATE_LIMIT: '5/s', TRUST_PROXY: '10.0.0.0/8' });
  const claimed = await burst(100, 5, (index) => api.get(CHEAP, from(`203.0.113.${index}`)));
  expect(claimed.allowed).toBeLessThanOrEqual(claimed.most);
  const believing = await start({ AUTH: 'off', RATE_LIMIT: '5/s', TRUST_PROXY: '127.0.0.1' });
  expect((await burst(100, 5, (index) => believing.get(CHEAP, from(`203.0.113.${index}`)))).allowed).toBe(100);
  // What a client claims stands before what the proxy has seen.
  const behind = await burst(100, 5, (index) => believing.get(CHEAP, from(`198.51.100.${index}, 203.0.113.200`)));
  expect(behind.allowed).toBeLessThanOrEqual(behind.most);
});

it.each([
  [{ AUTH: 'off' }, {}],
  [{ AUTH: '' }, {}],
  [{ AUTH: 'required', RATE_LIMIT: 'off' }, 'key'],
])('limits nobody with %j', async (overrides, credentials) => {
  const api = await start(overrides);
  const { status, headers } = await api.get(CHEAP, credentials === 'key' ? bearer(key) : {});
  expect([status, headers.get('ratelimit-policy')]).toEqual([200, null]);
});

/** Asks as fast as it can for so many seconds; gives how often it was let in. */
async function flood(apis: readonly Api[], milliseconds: number): Promise<number> {
  const end = performance.now() + milliseconds;
  let allowed = 0;
  const clients = apis.flatMap((api) => [api, api]);
  await Promise.all(
    clients.map(async (api) => {
      while (performance.now() < end) {
        const { status } = await api.get(CHEAP, bearer(key));
        if (status === 200) allowed++;
        else await delay(5);
      }
    }),
  );
  return allowed;
}

it('several processes share a limit, at the cost of a few calls a second', async () => {
  const perSecond = 40;
  const one = await start({ AUTH: 'required', RATE_LIMIT: `${perSecond}/s` });
  const apis = [one];
  for (let each = 0; each < 2; each++) apis.push(await start({ AUTH: 'required', RATE_LIMIT: `${perSecond}/s` }));
  const before = await calls(one);
  const allowed = await flood(apis, 6_000);
  // What they may is a burst at first, and their rate from then on.
  const ratio = allowed / (perSecond * (1 + 6));
  expect(ratio).toBeGreaterThan(0.8);
  expect(ratio).toBeLessThan(1.2);
  const cost = (await calls(one)) - before;
  expect(cost).toBeGreaterThan(0);
  expect(cost).toBeLessThan(3 * 6 * 15);
}, 30_000);

/** Of the script that adds up, as Redis counts them. */
async function calls(api: Api): Promise<number> {
  const statistics = await api.app.get(CacheConnection, { strict: false }).client.info('commandstats');
  return Number(/cmdstat_eval:calls=(\d+)/.exec(statistics)?.[1] ?? 0);
}

it.each(['frozen', 'gone'])('counts for itself while Redis is %s, without an error', async (how) => {
  const api = await start({ AUTH: 'required', RATE_LIMIT: '20/s' });
  if (how === 'frozen') redis.freeze();
  else await redis.kill();
  const { answers, allowed, most } = await burst(200, 20, () => api.get(CHEAP, bearer(key)));
  expect(new Set(statuses(answers))).toEqual(new Set([200, 429]));
  expect(allowed).toBeGreaterThanOrEqual(20);
  expect(allowed).toBeLessThanOrEqual(most);
  if (how === 'gone') await redis.restart();
  redis.thaw();
  await eventually(async () => expect((await api.get('/ops/queues', bearer(key))).status).toBe(200), 10_000);
});

it('a request that weighs more than the burst is let in by an idle limit', () => {
  const limiter = new RateLimiter();
  const rate = { by: 'caller', perSecond: 1 } as const;
  const take = () => limiter.take('key:1', rate, 5);
  expect(take()).toMatchObject({ isAllowed: true, remaining: 0 });
  expect(take()).toMatchObject({ isAllowed: false });
  expect(Math.round(take().waitMs / 1_000)).toBe(9);
  limiter.heed('key:2', 60_000);
  expect(limiter.take('key:2', rate, 1)).toMatchObject({ isAllowed: false });
});

it.each([
  [{ RATE_LIMIT: '0/s' }, /RATE_LIMIT/],
  [{ RATE_LIMIT: '100' }, /RATE_LIMIT must be off or like 100\/s/],
  [{ RATE_LIMIT: '1000000/s' }, /RATE_LIMIT/],
  [{ TRUST_PROXY: 'true' }, /TRUST_PROXY/],
  [{ TRUST_PROXY: '1' }, /TRUST_PROXY/],
  [{ TRUST_PROXY: '0.0.0.0/0' }, /TRUST_PROXY/],
  [{ TRUST_PROXY: '10.0.0.0/33' }, /TRUST_PROXY/],
  [{ TRUST_PROXY: 'proxy.example' }, /TRUST_PROXY/],
])('refuses to start with %j', (overrides, message) => {
  expect(() => loadConfig({ ...environment.variables, ...overrides }, 'api')).toThrow(message);
});

it('a customer sends so many idempotency keys in a day, and goes on without; a shop sends as many as its rate allows', async () => {
  const open = await start({ AUTH: 'off' });
  const alice = { name: 'alice', role: 'storefront', customer_ref: 'alice' };
  const customer = (await open.post('/keys', alice)).body.token;
  const product = (await open.post('/products', { name: 'P', price: 1, stock: 100 })).body.id;
  setLimits({ ...REAL, customerKeys: 3 });
  const api = await start({ AUTH: 'required' });
  let n = 0;
  const buy = (token: string, isKeyed: boolean) =>
    api.post(
      '/orders',
      { product_id: product },
      { ...bearer(token), ...(isKeyed ? { 'Idempotency-Key': `k${n++}` } : {}) },
    );
  const answers = await times(4, () => buy(customer, true));
  expect(statuses(answers)).toEqual([201, 201, 201, 429]);
  expect(answers[3]?.body.detail).toMatch(
    /^More than 3 requests with an Idempotency-Key in a day; try again in \d+ s$/,
  );
  expect(Number(answers[3]?.headers.get('retry-after'))).toBeCloseTo(86_400 / 3, -2);
  expect((await buy(customer, false)).status).toBe(201);
  expect(statuses(await times(5, () => buy(key, true)))).toEqual([201, 201, 201, 201, 201]);
  // Other processes hear of it, too.
  const other = await start({ AUTH: 'required' });
  await eventually(async () => {
    const headers = { ...bearer(customer), 'Idempotency-Key': `k${n++}` };
    expect((await other.post('/orders', { product_id: product }, headers)).status).toBe(429);
  });
});

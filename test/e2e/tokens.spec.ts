import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { createHmac, createPublicKey, createSign, generateKeyPairSync } from 'node:crypto';
import { loadConfig } from '../../src/config/config.js';
import { LIMITS } from '../../src/config/limits.js';
import { type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { AUDIENCE, type Issuer, startIssuer } from '../support/issuer.js';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const encoded = (value: object) => Buffer.from(JSON.stringify(value)).toString('base64url');
const partsOf = (token: string): string[] => token.split('.');
const claimsOf = (token: string): object => JSON.parse(Buffer.from(partsOf(token)[1] ?? '', 'base64url').toString());
const headerOf = (token: string): object => JSON.parse(Buffer.from(partsOf(token)[0] ?? '', 'base64url').toString());
/** Over the same claims, or others, by a key that is not the issuer's. */
const forged = generateKeyPairSync('rsa', { modulusLength: 2048 });
function signed(header: object, claims: object): string {
  const text = `${encoded(header)}.${encoded(claims)}`;
  return `${text}.${createSign('RSA-SHA256').update(text).sign(forged.privateKey, 'base64url')}`;
}

function urlOf(server: Server): string {
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

let issuer: Issuer;
let environment: Environment;
let api: Api;
const { guessesPerMinute } = LIMITS;

beforeAll(async () => {
  // Most of this is about more of them.
  Object.assign(LIMITS, { guessesPerMinute: Infinity });
  issuer = await startIssuer();
  environment = await createEnvironment({ AUTH: 'required', OIDC_ISSUER: issuer.url, OIDC_AUDIENCE: AUDIENCE });
  api = await startApi(environment.config);
});

afterAll(async () => {
  Object.assign(LIMITS, { guessesPerMinute });
  await api.close();
  await environment.close();
  await issuer.stop().catch(() => undefined);
});

it('lets a customer in by a token of the issuer, and a service with the scopes that its token names', async () => {
  const alice = await issuer.token({ sub: 'alice' });
  expect((await api.get('/ops/console', bearer(alice))).body).toMatchObject({
    actor: 'customer:alice',
    scopes: expect.arrayContaining(['products:read', 'orders:read', 'orders:create', 'reservations:write']),
  });
  const service = await issuer.token({ scope: 'orders:read ops:read openid' });
  const { body } = await api.get('/ops/console', bearer(service));
  expect([body.actor, body.scopes.toSorted()]).toEqual(['user:warehouse', ['ops:read', 'orders:read']]);
  expect((await api.get('/ops/queues', bearer(service))).status).toBe(200);
  expect((await api.get('/products', bearer(service))).body).toMatchObject({
    status: 403,
    detail: 'This needs the scope products:read',
  });
  expect((await api.get('/ops/queues', bearer(alice))).status).toBe(403);
});

it('refuses every token that is not as it has to be', async () => {
  const good = await issuer.token({ sub: 'alice' });
  const [header, claims] = [headerOf(good), claimsOf(good)];
  const [head = '', body = '', signature = ''] = partsOf(good);
  const jwk = forged.publicKey.export({ format: 'jwk' });
  const pem = createPublicKey({ key: await issuer.publicKey(), format: 'jwk' }).export({ type: 'spki', format: 'pem' });
  const hmac = (secret: string) => {
    const text = `${encoded({ ...header, alg: 'HS256' })}.${body}`;
    return `${text}.${createHmac('sha256', secret).update(text).digest('base64url')}`;
  };
  const wrong: Record<string, string> = {
    'another audience': await issuer.token({ sub: 'alice', audience: 'https://elsewhere.example' }),
    expired: await issuer.token({ sub: 'alice', ttl: -10 }),
    'alg none': `${encoded({ ...header, alg: 'none' })}.${body}.`,
    'alg none with a signature': `${encoded({ ...header, alg: 'none' })}.${body}.${signature}`,
    'no signature': `${head}.${body}.`,
    'other claims': `${head}.${encoded({ ...claims, sub: 'bob' })}.${signature}`,
    'a secret shared with the public key': hmac(pem.toString()),
    'an empty secret': hmac(''),
    'another key with the same kid': signed(header, claims),
    'a key of its own': signed({ ...header, jwk, kid: undefined }, claims),
    'a key elsewhere': signed({ ...header, jku: `${issuer.url}/mine`, kid: 'mine' }, claims),
    'another issuer': signed(header, { ...claims, iss: 'https://evil.example' }),
    'no header': `.${body}.${signature}`,
    'a header that is no JSON': `${Buffer.from('{').toString('base64url')}.${body}.${signature}`,
  };
  const statuses = Object.fromEntries(
    await Promise.all(
      Object.entries(wrong).map(async ([name, token]) => {
        const { status, headers } = await api.get('/products', bearer(token));
        return [name, `${status} ${headers.get('www-authenticate')}`] as const;
      }),
    ),
  );
  const refused = '401 Bearer realm="Order System", error="invalid_token"';
  expect(statuses).toEqual(Object.fromEntries(Object.keys(wrong).map((name) => [name, refused])));
  expect((await api.get('/products', bearer(good))).status).toBe(200);
});

it('a token that has expired is no guess, however often it comes', async () => {
  Object.assign(LIMITS, { guessesPerMinute: 2 });
  const expired = bearer(await issuer.token({ sub: 'alice', ttl: -10 }));
  const statuses = [];
  for (let time = 0; time < 5; time++) statuses.push((await api.get('/products', expired)).status);
  Object.assign(LIMITS, { guessesPerMinute: Infinity });
  expect(statuses).toEqual([401, 401, 401, 401, 401]);
});

it.each(['a\nb', 'x'.repeat(129), 'ü'])('refuses a subject that can be no customer: %j', async (sub) => {
  const { status, body } = await api.get('/products', bearer(await issuer.token({ sub })));
  expect([status, body.detail]).toEqual([401, expect.stringContaining('sub')]);
});

it('refuses claims that are of another type, though the issuer has signed them', async () => {
  const jwk = { ...forged.publicKey.export({ format: 'jwk' }), kid: 'own', alg: 'RS256', use: 'sig' };
  const careless: Server = createServer(({ url }, response) => {
    const found = { issuer: urlOf(careless), jwks_uri: `${urlOf(careless)}/jwks` };
    response.end(JSON.stringify(url === '/jwks' ? { keys: [jwk] } : found));
  });
  await once(careless.listen(0, '127.0.0.1'), 'listening');
  const asked = await startApi(loadConfig({ ...environment.variables, OIDC_ISSUER: urlOf(careless) }, 'api'));
  const exp = Math.floor(Date.now() / 1_000) + 600;
  const statusOf = async (claims: object) => {
    const whole = { iss: urlOf(careless), aud: AUDIENCE, exp, ...claims };
    return (await asked.get('/orders', bearer(signed({ alg: 'RS256', kid: 'own' }, whole)))).status;
  };
  expect(await statusOf({ sub: 'alice' })).toBe(200);
  for (const sub of [null, ['alice'], [['alice']], ['a', 'b'], 1, true, {}, { toString: 'x' }, '', undefined])
    expect([sub, await statusOf({ sub })]).toEqual([sub, 401]);
  for (const wrong of ['soon', null, 9e12, 1e300])
    expect([wrong, await statusOf({ sub: 'alice', exp: wrong })]).toEqual([wrong, 401]);
  await asked.close();
  await new Promise((resolve) => careless.close(resolve));
});

it('judges a token once a minute, and asks the issuer for its keys once', async () => {
  const token = await issuer.token({ sub: 'alice' });
  await api.get('/products', bearer(token));
  const before = issuer.asked();
  for (let time = 0; time < 20; time++) expect((await api.get('/products', bearer(token))).status).toBe(200);
  const strange = Array.from({ length: 20 }, (_, index) => signed({ alg: 'RS256', kid: `k${index}` }, claimsOf(token)));
  for (const each of strange) await api.get('/products', bearer(each));
  expect(issuer.asked()).toBe(before);
});

it('takes the new keys of an issuer, and ends with the token', async () => {
  const { issuerPauseMs } = LIMITS;
  Object.assign(LIMITS, { issuerPauseMs: 0 });
  const asked = await startApi(environment.config);
  expect((await asked.get('/products', bearer(await issuer.token({ sub: 'alice' })))).status).toBe(200);
  issuer.rotate();
  expect((await asked.get('/products', bearer(await issuer.token({ sub: 'alice' })))).status).toBe(200);
  await asked.close();
  Object.assign(LIMITS, { issuerPauseMs });
});

it('an issuer that is away hinders its own tokens alone', async () => {
  const away = await startIssuer();
  const token = await away.token({ sub: 'alice' });
  const overrides = { OIDC_ISSUER: away.url };
  const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'off' }, 'api'));
  const { body: key } = await open.post('/keys', { name: 'shop', role: 'storefront' });
  await open.close();
  await away.stop();
  const asked = await startApi(loadConfig({ ...environment.variables, ...overrides }, 'api'));
  for (let time = 0; time < 3; time++) {
    const { status, headers, body } = await asked.get('/products', bearer(token));
    expect([status, headers.get('retry-after'), body.code]).toEqual([503, '1', 'ISSUER_UNAVAILABLE']);
  }
  expect((await asked.get('/health', bearer(token))).status).toBe(200);
  expect((await asked.get('/products', bearer(key.token))).status).toBe(200);
  await asked.close();
});

it('while the issuer is away, the keys that were read go on, also when a stranger names one that nobody has', async () => {
  const { issuerPauseMs, keysKeptMs } = LIMITS;
  Object.assign(LIMITS, { issuerPauseMs: 0, keysKeptMs: 0 });
  const away = await startIssuer();
  const tokens = [await away.token({ sub: 'alice' }), await away.token({ sub: 'bob' })];
  const [first = '', second = ''] = tokens;
  const asked = await startApi(loadConfig({ ...environment.variables, OIDC_ISSUER: away.url }, 'api'));
  expect((await asked.get('/ops/console', bearer(first))).status).toBe(200);
  await away.stop();
  const strange = signed({ alg: 'RS256', kid: 'nobodys' }, claimsOf(first));
  expect((await asked.get('/ops/console', bearer(strange))).status).toBe(503);
  expect((await asked.get('/ops/console', bearer(second))).status).toBe(200);
  await asked.close();
  Object.assign(LIMITS, { issuerPauseMs, keysKeptMs });
});

it('answers whoever has gone before they were looked at, and lives on', async () => {
  const expired = await issuer.token({ sub: 'alice', ttl: -10 });
  const { hostname, port } = new URL(api.url);
  for (let time = 0; time < 50; time++) {
    for (const credentials of ['', `Authorization: Bearer ${expired}\r\n`]) {
      const socket = connect(Number(port), hostname);
      await once(socket, 'connect');
      socket.write(`GET /api/v1/orders HTTP/1.1\r\nHost: localhost\r\n${credentials}\r\n`);
      socket.resetAndDestroy();
    }
  }
  expect((await api.get('/health')).status).toBe(200);
});

it.each([
  [{ OIDC_ISSUER: 'https://issuer.example', OIDC_AUDIENCE: '' }, /must be set together/],
  [{ OIDC_ISSUER: '', OIDC_AUDIENCE: 'orders' }, /must be set together/],
  [{ OIDC_ISSUER: 'http://issuer.example', OIDC_AUDIENCE: 'orders' }, /https:/],
  [{ OIDC_ISSUER: 'issuer', OIDC_AUDIENCE: 'orders' }, /OIDC_ISSUER must be a https:/],
])('refuses to start with %j', (overrides, message) => {
  expect(() => loadConfig({ ...environment.variables, ...overrides }, 'api')).toThrow(message);
});

import { Queue } from 'bullmq';
import { Redis } from 'ioredis';
import { createDashboard } from '../../src/roles/dashboard/create-dashboard.js';
import { loadConfig } from '../../src/config/config.js';
import { startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { REAL, setLimits } from '../support/limits.js';
import { openTransaction } from '../support/waiting.js';
import { warningsDuring } from '../support/warnings.js';
import { eventually } from '../support/eventually.js';

describe('the dashboard', () => {
  let environment: Environment;

  beforeAll(async () => {
    environment = await createEnvironment();
  });

  afterAll(() => environment.close());

  const start = async (variables: Record<string, string> = {}) => {
    const app = await createDashboard(loadConfig({ ...environment.variables, ...variables }, 'dashboard'));
    await app.listen(0, '127.0.0.1');
    return { app, url: await app.getUrl() };
  };

  it('shows the queue of orders, that of orders which wait for a job of their own, and that of the audit', async () => {
    const api = await startApi(environment.config);
    await api.post('/orders', { product_id: await api.createProduct() });
    const { app, url } = await start();
    const page = await (await fetch(url)).text();
    expect(page).toContain('Order System');
    expect(page).not.toMatch(/(src|href)=["']?(https?:)?\/\//);
    await eventually(async () => {
      const { queues } = JSON.parse(await (await fetch(`${url}/api/queues`)).text());
      expect(queues).toMatchObject([
        { name: 'orders', counts: { waiting: 1 } },
        { name: 'hand-over' },
        { name: 'audit' },
      ]);
    });
    await app.close();
    await api.close();
  });

  it('lets nobody in without the credentials, neither to the page nor to its API', async () => {
    const { app, url } = await start({ DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'a:b c d e f g' });
    const statusOf = async (path: string, credentials?: string, method = 'GET') => {
      const headers =
        credentials === undefined ? {} : { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
      return (await fetch(`${url}${path}`, { method, headers })).status;
    };
    for (const path of ['/', '/queue/orders', '/api/queues', '/static/js/none.js', '/none', '/health/']) {
      expect([path, await statusOf(path)]).toEqual([path, 401]);
    }
    expect(await statusOf('/api/queues/orders/clean/completed', undefined, 'PUT')).toBe(401);
    for (const wrong of ['owner:', 'owner:a:b', 'OWNER:a:b c d e f g', ':', ''])
      expect(await statusOf('/api/queues', wrong)).toBe(401);
    expect((await fetch(url)).headers.get('WWW-Authenticate')).toMatch(/^Basic /);
    for (const path of ['/', '/api/queues']) expect(await statusOf(path, 'owner:a:b c d e f g')).toBe(200);
    expect(await statusOf('/health')).toBe(200);
    await app.close();
  });

  it('does not start in production without credentials', () => {
    const variables = { ...environment.variables, NODE_ENV: 'production' };
    expect(() => loadConfig(variables, 'dashboard')).toThrow(
      /DASHBOARD_USER and DASHBOARD_PASSWORD must be set in production/,
    );
    expect(() => loadConfig(variables, 'api')).not.toThrow();
  });

  it.each([
    [{ HOST: '0.0.0.0' }, /must be set when HOST is 0\.0\.0\.0/],
    [{ HOST: '::' }, /must be set when HOST is ::/],
    [{ DATABASE_URL: '', AUTH: 'required' }, /needs DATABASE_URL for keys, or DASHBOARD_USER/],
    [{ DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'elevenchars' }, /at least 12 characters/],
    [{ NODE_ENV: 'production', DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'change-me-dashboard' }, /anybody knows/],
  ])('does not start with %j', (variables, problem) => {
    expect(() => loadConfig({ ...environment.variables, ...variables }, 'dashboard')).toThrow(problem);
  });

  it('looks at ten wrong guesses of an address in a minute, and at nothing of it after that', async () => {
    const { app, url } = await start({ DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'twelve or more' });
    const guess = async (password: string) => {
      const headers = { Authorization: `Basic ${Buffer.from(`owner:${password}`).toString('base64')}` };
      const { status, headers: answered } = await fetch(`${url}/api/queues`, { headers });
      return status === 429 ? `429 ${Number(answered.get('retry-after')) > 0}` : status;
    };
    const { result: statuses, warnings } = await warningsDuring(async () => {
      const all = [await guess('twelve or more')];
      for (let time = 0; time < 15; time++) all.push(await guess(`wrong ${time}`));
      return [...all, await guess('twelve or more')];
    });
    expect(statuses).toEqual([200, ...Array(10).fill(401), ...Array(6).fill('429 true')]);
    expect((await fetch(`${url}/health`)).status).toBe(200);
    expect(warnings.map((line) => line.split(' {')[0])).toEqual([
      'Wrong credentials',
      'Too many wrong credentials: no more are looked at for a minute',
    ]);
    expect(JSON.stringify(warnings)).not.toContain('wrong 1');
    await app.close();
  });

  const withKeys = async (variables: Record<string, string> = {}) => {
    const api = await startApi(environment.config);
    const keyOf = async (role: string) => (await api.post('/keys', { name: role, role })).body.token as string;
    const tokens = {
      operator: await keyOf('operator'),
      storefront: await keyOf('storefront'),
      looker: (await api.post('/keys', { name: 'looker', scopes: ['ops:read'] })).body.token as string,
      customer: (await api.post('/keys', { name: 'alice', scopes: ['ops:manage'], customer_ref: 'alice' })).body
        .token as string,
    };
    const { app, url } = await start(variables);
    const ask = async (password: string | undefined, [method, path]: [string, string]) => {
      const headers: Record<string, string> = {};
      if (password !== undefined) headers['Authorization'] = `Basic ${btoa(password)}`;
      const response = await fetch(`${url}${path}`, { method, headers });
      return { status: response.status, text: await response.text() };
    };
    const close = async () => {
      await app.close();
      await api.close();
    };
    return { api, tokens, ask, close };
  };
  const LOOK: [string, string] = ['GET', '/api/queues'];
  const PAUSE: [string, string] = ['PUT', '/api/queues/orders/pause'];
  const RESUME: [string, string] = ['PUT', '/api/queues/orders/resume'];

  it.each([
    ['a password', { DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'twelve or more' }],
    ['AUTH=required', { AUTH: 'required' }],
  ])('beside %s lets keys look or act, each as it may', async (_name, variables) => {
    const { tokens, ask, close } = await withKeys(variables);
    const statuses = async (token: string | undefined) => {
      const password = token === undefined ? undefined : `any user:${token}`;
      return [
        (await ask(password, LOOK)).status,
        (await ask(password, PAUSE)).status,
        (await ask(password, RESUME)).status,
      ];
    };
    expect(await statuses(undefined)).toEqual([401, 401, 401]);
    expect(await statuses(tokens.storefront)).toEqual([403, 403, 403]);
    expect(await statuses(tokens.customer)).toEqual([403, 403, 403]);
    expect(await statuses(tokens.looker)).toEqual([200, 403, 403]);
    expect(await statuses(tokens.operator)).toEqual([200, 200, 200]);
    await close();
  });

  it('shows no buttons to a key that may only look', async () => {
    const { tokens, ask, close } = await withKeys({ AUTH: 'required' });
    const modesOf = async (token: string) =>
      JSON.parse((await ask(`:${token}`, LOOK)).text).queues.map(
        (queue: { readOnlyMode: boolean; allowRetries: boolean }) => [queue.readOnlyMode, queue.allowRetries],
      );
    expect(await modesOf(tokens.looker)).toEqual(Array(3).fill([true, false]));
    expect(await modesOf(tokens.operator)).toEqual(Array(3).fill([false, true]));
    await close();
  });

  it('records who did what, by key and by password, and who was refused to do it', async () => {
    const { api, tokens, ask, close } = await withKeys({
      DASHBOARD_USER: 'owner',
      DASHBOARD_PASSWORD: 'twelve or more',
    });
    await ask(`:${tokens.operator}`, PAUSE);
    await ask('owner:twelve or more', RESUME);
    await ask(`:${tokens.looker}`, PAUSE);
    await ask(`:${tokens.looker}`, LOOK);
    const { body } = await api.get('/actions');
    const changes = body.items.filter(({ type }: { type: string }) => type === 'queue.changed');
    expect(changes).toMatchObject([
      {
        actor: 'dashboard:owner',
        details: { method: 'PUT', route: '/api/queues/:queueName/resume', queue_name: 'orders' },
      },
      { actor: expect.stringMatching(/^key:/), details: { method: 'PUT', route: '/api/queues/:queueName/pause' } },
    ]);
    await close();
  });

  it('changes nothing that it cannot record', async () => {
    const { ask, close } = await withKeys({ AUTH: 'off', DATABASE_LOCK_TIMEOUT_MS: '50' });
    const lock = await openTransaction(environment.sql);
    await lock.query('LOCK TABLE actions', []);
    expect(await ask(undefined, PAUSE)).toMatchObject({ status: 503, text: expect.stringContaining('LOCK_TIMEOUT') });
    await lock.end('ROLLBACK');
    const [orders] = JSON.parse((await ask(undefined, LOOK)).text).queues;
    expect(orders).toMatchObject({ name: 'orders', isPaused: false });
    await close();
  });

  it('asks for a key what a proxy brings, on a loopback address without a password', async () => {
    const { app, url } = await start();
    const statusOf = async (headers: Record<string, string>) => (await fetch(`${url}/api/queues`, { headers })).status;
    expect(await statusOf({})).toBe(200);
    expect(await statusOf({ 'X-Forwarded-For': '192.0.2.1' })).toBe(401);
    await app.close();
  });

  it('without a database is opened by the password alone', async () => {
    const { app, url } = await start({
      DATABASE_URL: '',
      DASHBOARD_USER: 'owner',
      DASHBOARD_PASSWORD: 'twelve or more',
    });
    const statusOf = async (credentials: string, method = 'GET') =>
      (
        await fetch(`${url}/api/queues${method === 'PUT' ? '/resume' : ''}`, {
          method,
          headers: { Authorization: `Basic ${btoa(credentials)}` },
        })
      ).status;
    expect(await statusOf('owner:twelve or more')).toBe(200);
    expect(await statusOf('owner:twelve or more', 'PUT')).toBe(200);
    expect(await statusOf('owner:twelve or less')).toBe(401);
    await app.close();
  });

  it('lets nobody stop the queue by looking: a page has a bound, and so has what is worked on at once', async () => {
    const { app, url } = await start();
    const queue = new Redis(environment.variables['QUEUE_REDIS_URL'] ?? '');
    const jobs = new Queue('orders', { connection: queue, prefix: 'bull' });
    await jobs.addBulk(Array.from({ length: 150 }, () => ({ name: 'x', data: {} })));
    await jobs.close();
    queue.disconnect();
    const path = '/api/queues?activeQueue=orders&status=waiting&page=1&jobsPerPage=100000';
    const { queues } = JSON.parse(await (await fetch(`${url}${path}`)).text());
    expect(queues[0].jobs).toHaveLength(REAL.dashboardJobs);
    const encoded = JSON.parse(await (await fetch(`${url}${path.replace('/api/', '/%61pi/')}`)).text());
    expect(encoded.queues[0].jobs).toHaveLength(REAL.dashboardJobs);
    setLimits({ ...REAL, dashboardRequestsAtOnce: 2, dashboardRequests: 1_000 });
    const statuses = await Promise.all(Array.from({ length: 30 }, async () => (await fetch(`${url}${path}`)).status));
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    setLimits({ ...REAL, dashboardRequestsAtOnce: 0 });
    const count = async () =>
      (await environment.sql.query("SELECT FROM actions WHERE type = 'queue.changed'")).rowCount;
    const before = await count();
    expect((await fetch(`${url}/api/queues/orders/pause`, { method: 'PUT' })).status).toBe(503);
    setLimits(REAL);
    expect(await count()).toBe(before);
    expect((await fetch(`${url}${path}`)).status).toBe(200);
    await app.close();
  });

  it('looks at no password where everybody is let in', async () => {
    const { app, url } = await start({ DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'twelve or more' });
    const ask = async (path: string, credentials: string) =>
      (await fetch(`${url}${path}`, { headers: { Authorization: `Basic ${btoa(credentials)}` } })).status;
    for (let time = 0; time < 12; time++) expect(await ask('/health', `owner:wrong ${time}`)).toBe(200);
    expect(await ask('/api/queues', 'owner:twelve or more')).toBe(200);
    await app.close();
  });

  it('works below the path of a proxy', async () => {
    const { app, url } = await start({ PUBLIC_URL: 'https://ops.example/queues/' });
    expect(await (await fetch(url)).text()).toContain('<base href="/queues/"');
    await app.close();
  });

  it('serves no page of another site, and keeps none of what it answers', async () => {
    const { app, url } = await start();
    const foreign = { 'Sec-Fetch-Site': 'cross-site', Origin: 'https://evil.example' };
    const statusOf = async (method: string, headers: Record<string, string>) =>
      (await fetch(`${url}/api/queues/orders/pause`, { method, headers })).status;
    expect(await statusOf('PUT', foreign)).toBe(403);
    expect(await statusOf('PUT', { 'Sec-Fetch-Site': 'same-origin' })).toBe(200);
    const { headers } = await fetch(url);
    expect(Object.fromEntries(headers)).toMatchObject({
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      'content-security-policy': expect.stringContaining("default-src 'self'"),
    });
    await app.close();
  });
});

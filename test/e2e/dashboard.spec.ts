import { createDashboard } from '../../src/roles/dashboard/create-dashboard.js';
import { loadConfig } from '../../src/config/config.js';
import { startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
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
    const { app, url } = await start({ DASHBOARD_USER: 'owner', DASHBOARD_PASSWORD: 'a:b c' });
    const statusOf = async (path: string, credentials?: string, method = 'GET') => {
      const headers =
        credentials === undefined ? {} : { Authorization: `Basic ${Buffer.from(credentials).toString('base64')}` };
      return (await fetch(`${url}${path}`, { method, headers })).status;
    };
    for (const path of ['/', '/queue/orders', '/api/queues', '/static/js/none.js', '/none', '/health/']) {
      expect([path, await statusOf(path)]).toEqual([path, 401]);
    }
    expect(await statusOf('/api/queues/orders/clean/completed', undefined, 'PUT')).toBe(401);
    for (const wrong of ['owner:', 'owner:a:b', 'OWNER:a:b c', ':', ''])
      expect(await statusOf('/api/queues', wrong)).toBe(401);
    expect((await fetch(url)).headers.get('WWW-Authenticate')).toMatch(/^Basic /);
    for (const path of ['/', '/api/queues']) expect(await statusOf(path, 'owner:a:b c')).toBe(200);
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
});

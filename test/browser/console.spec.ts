import { createServer, request as forward } from 'node:http';
import type { AddressInfo } from 'node:net';
import { brotliDecompressSync } from 'node:zlib';
import type { Browser } from 'playwright-core';
import { loadConfig } from '../../src/config/config.js';
import { createClient } from '../support/api.js';
import {
  accessibilityFaults,
  hasBrowser,
  isTooWide,
  keepScreenshot,
  launchBrowser,
  type Look,
  openPage,
} from '../support/browser.js';
import { failAsStalled } from '../support/dead-letter.js';
import { eventually } from '../support/eventually.js';
import { type LocalSystem, startLocalSystem } from '../support/local-system.js';

const LOOKS: readonly Look[] = [
  { scheme: 'light', width: 1280 },
  { scheme: 'dark', width: 1280 },
  { scheme: 'light', width: 390 },
  { scheme: 'dark', width: 390 },
];
const DESKTOP: Look = { scheme: 'light', width: 1280 };
const MAX_FIRST_VIEW_BYTES = 60_000;

// A browser comes with Debian, where root can install it.
(hasBrowser ? describe : describe.skip)('the console', () => {
  let system: LocalSystem;
  let browser: Browser;
  let product: number;
  let order: number;

  beforeAll(async () => {
    [system, browser] = await Promise.all([startLocalSystem({ ORDER_PROCESSING_DELAY_MS: '500' }), launchBrowser()]);
    const api = createClient(system.url);
    product = (await api.post('/products', { name: 'Mechanical keyboard', price: 89.9, stock: 10 })).body.id;
    order = (await api.post('/orders', { product_id: product }, { 'X-Request-Id': 'the-request' })).body.id;
  }, 240_000);

  afterAll(async () => {
    await browser.close();
    await system.stop();
  }, 30_000);

  const open = (place = '', look = DESKTOP, base = system.url) => openPage(browser, `${base}/console${place}`, look);
  const api = () => createClient(system.url);
  /** Of `scopes`; the processes know it within a second. */
  const makeKey = async (scopes: readonly string[]): Promise<string> => {
    const { body } = await api().post('/keys', { name: 'somebody', scopes });
    const headers = { Authorization: `Bearer ${body.token}`, 'X-Forwarded-For': '192.0.2.1' };
    await eventually(async () => expect((await api().get('/ops/console', headers)).status).toBe(200));
    return body.token;
  };

  it('comes in less than 60 kB, with a policy that lets nothing in from elsewhere, and at / for browsers alone', async () => {
    const load = async (path: string, accept: string) => {
      const headers = { Accept: accept, 'Accept-Encoding': 'br' };
      return new Promise<{ bytes: Buffer; headers: Record<string, unknown> }>((resolve) =>
        forward(`${system.url}${path}`, { headers }, (response) => {
          const chunks: Buffer[] = [];
          response.on('data', (chunk: Buffer) => chunks.push(chunk));
          response.once('end', () => resolve({ bytes: Buffer.concat(chunks), headers: response.headers }));
        }).end(),
      );
    };
    for (const [path, root] of [
      ['/', '.'],
      ['/console', '.'],
      ['/console/', '..'],
    ] as const) {
      const page = await load(path, 'text/html,application/xhtml+xml,*/*;q=0.8');
      expect(page.headers).toMatchObject({ 'content-type': 'text/html; charset=utf-8', 'cache-control': 'no-cache' });
      const policy = String(page.headers['content-security-policy']);
      expect(policy).toContain("default-src 'none'; script-src 'self'; style-src 'self'");
      expect(policy).not.toMatch(/unsafe|https?:|\*/);
      const html = brotliDecompressSync(page.bytes).toString();
      const files = [...html.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, address = '']) => address);
      expect(files).toHaveLength(3);
      let bytes = page.bytes.length;
      for (const file of files) {
        expect(file.startsWith(`${root}/`)).toBe(true);
        const loaded = await load(file.slice(root.length), '*/*');
        bytes += loaded.bytes.length;
        if (file.includes('/assets/')) expect(loaded.headers['cache-control']).toContain('immutable');
      }
      expect(bytes).toBeGreaterThan(10_000);
      expect(bytes).toBeLessThanOrEqual(MAX_FIRST_VIEW_BYTES);
    }
    for (const accept of ['*/*', 'application/json', 'text/html, application/json']) {
      const { headers } = await load('/', accept);
      expect(headers).toMatchObject({ 'content-type': 'application/json; charset=utf-8', vary: 'Accept' });
    }
  });

  it('shows every page in both schemes and widths, without an error, a request elsewhere or a finding of axe', async () => {
    await api().post('/keys', { name: 'for the pages', scopes: ['products:read', 'orders:create'] });
    const places = {
      now: ['', 'Purchases a second'],
      products: ['#/products', 'Mechanical keyboard'],
      product: [`#/products/${product}`, 'Stock movements'],
      orders: ['#/orders', 'completed'],
      order: [`#/orders/${order}`, 'the-request'],
      queues: ['#/queues', 'hand-over'],
      audit: ['#/audit', 'Audit now'],
      actions: ['#/actions', 'What was done here'],
      keys: ['#/keys', 'for the pages'],
      nowhere: ['#/nowhere', 'There is nothing here'],
    } as const;
    for (const look of LOOKS) {
      const { page, faults, close } = await open('', look);
      for (const [name, [place, text]] of Object.entries(places)) {
        await page.goto(`${system.url}/console${place}`);
        await page.locator(`main :not(option):text("${text}")`).first().waitFor();
        expect([name, look, await accessibilityFaults(page)]).toEqual([name, look, []]);
        expect([name, look, await isTooWide(page)]).toEqual([name, look, false]);
        await keepScreenshot(page, `${name}-${look.scheme}-${look.width}`);
      }
      expect(faults).toEqual([]);
      await close();
    }
  }, 120_000);

  it('holds a flash sale to its last line, and one in which the worker is killed', async () => {
    const { page, faults, requests, close } = await openPage(browser, system.url, DESKTOP);
    await page.getByRole('button', { name: 'Start the flash sale' }).click();
    await page.getByText('on their way').waitFor();
    const result = page.locator('.sale-result');
    await result.waitFor({ timeout: 60_000 });
    expect(await page.locator('.sale-line span').allTextContents()).toEqual([
      '100 sold',
      '400 refused',
      '0 oversold',
      'audit clean',
    ]);
    expect(await result.textContent()).toMatch(
      /500 purchases in .+, p99 .+ 100 of 100 orders completed, nothing was lost/,
    );
    await keepScreenshot(page, 'flash-sale-light-1280');
    expect(await accessibilityFaults(page)).toEqual([]);

    const worker = system.pidOf('worker');
    await page.getByRole('button', { name: 'kill the worker' }).click();
    await page.getByText('on their way').waitFor();
    await page
      .getByText(/The worker was killed while \d+ orders were open, and another one took over/)
      .waitFor({ timeout: 90_000 });
    expect(await result.textContent()).toMatch(/100 of 100 orders completed, nothing was lost/);
    await eventually(() => expect(system.pidOf('worker')).not.toBe(worker));
    expect(faults).toEqual([]);
    expect(requests.filter((each) => each === 'POST /ops/flash-sales')).toHaveLength(2);
    const { body } = await api().get('/actions');
    const sales = body.items.filter(({ type }: { type: string }) => type.startsWith('flash_sale'));
    expect(sales.map(({ type, details }: { type: string; details: unknown }) => [type, details])).toEqual([
      ['flash_sale.started', { kill_worker: true }],
      ['flash_sale.started', { kill_worker: false }],
    ]);
    await close();
  }, 200_000);

  it('finds an order from the id of its request, by the keyboard alone, and shows its life', async () => {
    const { page, faults, close } = await open();
    await page.locator('nav a', { hasText: 'Orders' }).waitFor();
    await page.keyboard.press('Tab');
    expect(await page.evaluate('document.activeElement.textContent')).toBe('Skip to the content');
    // The brand, Now, Products, Orders.
    for (let step = 0; step < 4; step++) await page.keyboard.press('Tab');
    await page.keyboard.press('Enter');
    await page.getByLabel('Request id').waitFor();
    expect(await page.evaluate('document.activeElement.id')).toBe('main');
    await page.keyboard.press('Tab');
    await page.keyboard.press('Tab');
    await page.keyboard.type('the-request');
    await eventually(() => expect(page.url()).toContain('#/orders?request_id=the-request'));
    await eventually(async () => expect(await page.locator('tbody tr').count()).toBe(1));
    await page.getByRole('link', { name: String(order), exact: true }).focus();
    await page.keyboard.press('Enter');
    await page.getByText('the-request').waitFor();
    await page.getByText(/^(hand-over|order)-\d+$/).waitFor();
    const steps = page.locator('.events li strong');
    await eventually(async () => expect(await steps.allTextContents()).toEqual(['created', 'processing', 'completed']));
    await page.goBack();
    expect(page.url()).toContain('request_id=the-request');
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

  it('adjusts a stock and cancels an order, tells why it cannot, and lists both among the actions', async () => {
    const { page, faults, close } = await open(`#/products/${product}`);
    await page.getByRole('button', { name: 'Adjust the stock' }).click();
    await page.getByLabel('Units to add').fill('-1000');
    await page.getByLabel('Reason').fill('counted again');
    await page.keyboard.press('Enter');
    await page.getByText('A stock of 9 cannot be adjusted by -1000').waitFor();
    // Chromium tells of each refusal in its console.
    expect(faults.splice(0)).toEqual([expect.stringContaining('400')]);
    await page.getByLabel('Units to add').fill('5');
    await page.keyboard.press('Enter');
    await page.locator('td', { hasText: 'counted again' }).waitFor();
    expect((await api().get(`/products/${product}`)).body.stock).toBe(14);

    const worker = system.pidOf('worker');
    process.kill(worker, 'SIGSTOP');
    const { body: open_ } = await api().post('/orders', { product_id: product });
    await page.goto(`${system.url}/console#/orders/${open_.id}`);
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await page.keyboard.press('Escape');
    expect(await page.locator('dialog[open]').count()).toBe(0);
    await page.getByRole('button', { name: 'Cancel the order' }).click();
    await page.getByLabel('Reason').fill('bought twice');
    await page.getByRole('button', { name: 'Cancel it' }).click();
    await page.getByText('cancelled: bought twice').waitFor();
    process.kill(worker, 'SIGCONT');

    await page.goto(`${system.url}/console#/actions`);
    await page.locator('tr', { hasText: 'order cancelled' }).getByText('bought twice').waitFor();
    await page.locator('tr', { hasText: 'stock adjusted' }).getByText('counted again').waitFor();
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

  it('makes a key whose token is shown once, rolls it, and revokes it', async () => {
    const { page, faults, close } = await open('#/keys');
    const lets = async (token: string) => {
      const headers = { Authorization: `Bearer ${token}`, 'X-Forwarded-For': '192.0.2.1' };
      return (await api().get('/ops/console', headers)).status;
    };
    const shown = async () => (await page.locator('.notice code').textContent()) ?? '';
    await page.getByRole('button', { name: 'Make a key' }).click();
    await page.getByLabel('Name, for whoever reads this list').fill('till 4');
    await page.getByLabel('Role').selectOption('fulfilment');
    await page.getByRole('button', { name: 'Make it' }).click();
    await page.getByText('is shown this once').waitFor();
    const token = await shown();
    await eventually(async () => expect(await lets(token)).toBe(200));
    expect(await accessibilityFaults(page)).toEqual([]);
    const row = page.locator('tr', { hasText: 'till 4' });
    await row.getByText('fulfilment').waitFor();
    await row.getByRole('button', { name: /^Roll key/ }).click();
    await page.getByRole('button', { name: 'Give it another secret' }).click();
    await eventually(async () => expect(await shown()).not.toBe(token));
    const rolled = await shown();
    await eventually(async () => expect([await lets(token), await lets(rolled)]).toEqual([200, 200]));
    await row.getByRole('button', { name: /^Revoke key/ }).click();
    await page.getByRole('button', { name: 'Revoke it' }).click();
    await row.getByText('revoked').waitFor();
    // 401, or 429 after ten tries.
    await eventually(async () => expect([await lets(token), await lets(rolled)]).not.toContain(200));
    await page.goto(`${system.url}/console#/actions`);
    for (const action of ['key created', 'key rolled', 'key revoked']) {
      await page.locator('tr', { hasText: action }).first().waitFor();
    }
    expect(faults).toEqual([]);
    await close();
  }, 60_000);

  it('tries dead letters again, of which the number was seen, and shows findings with the command that repairs', async () => {
    const config = loadConfig(system.variables(), 'api');
    const worker = system.pidOf('worker');
    process.kill(worker, 'SIGSTOP');
    const dead: number[] = [];
    for (let count = 0; count < 2; count++) {
      const { body } = await api().post('/orders', { product_id: product });
      await failAsStalled(config, body.id);
      dead.push(body.id);
    }
    const { page, faults, close } = await open('#/queues');
    await page.getByRole('button', { name: 'Try all 2 again' }).click();
    await page.getByRole('button', { name: 'Try 2 again', exact: true }).click();
    await page.getByText('None').waitFor();
    process.kill(worker, 'SIGCONT');
    for (const id of dead)
      await eventually(async () => expect((await api().get(`/orders/${id}`)).body.status).toBe('completed'), 30_000);

    const finding = { finding: 'STOCK_DIFFERS', meaning: 'The stock is another one than the ledger tells', count: 1 };
    const example = { product_id: product, order_id: null, reservation_id: null, expected: 2, found: 1 };
    const run = {
      status: 'findings',
      started_at: '2026-01-15T03:00:00Z',
      finished_at: '2026-01-15T03:00:01Z',
      products: 1,
      orders: 1,
      movements: 1,
    };
    await page.route('**/ops/audit-runs*', (route) =>
      route.fulfill({ json: { items: [{ ...run, findings: [{ ...finding, examples: [example] }] }] } }),
    );
    await page.goto(`${system.url}/console#/audit`);
    await page.getByText('npm run audit -- --repair').waitFor();
    expect(await accessibilityFaults(page)).toEqual([]);
    await keepScreenshot(page, 'audit-findings-light-1280');
    await page.unroute('**/ops/audit-runs*');
    const before = (await api().get('/ops/audit-runs?limit=100')).body.items.length;
    await page.getByRole('button', { name: 'Audit now' }).click();
    await page.getByRole('button', { name: 'Audit', exact: true }).click();
    await eventually(async () =>
      expect((await api().get('/ops/audit-runs?limit=100')).body.items).toHaveLength(before + 1),
    );
    expect(faults).toEqual([]);
    await close();
  }, 90_000);

  it('asks at most twice a second, and nothing while its tab is hidden', async () => {
    const { page, requests, close } = await open();
    await page.getByText('Purchases a second').first().waitFor();
    const seconds = 6;
    requests.length = 0;
    await page.waitForTimeout(seconds * 1_000);
    expect(requests.length).toBeGreaterThan(0);
    expect(requests.length).toBeLessThanOrEqual(2 * seconds);

    const hide = (isHidden: boolean) =>
      page.evaluate(`
        Object.defineProperty(document, 'hidden', { configurable: true, get: () => ${isHidden} });
        document.dispatchEvent(new Event('visibilitychange'));
      `);
    await hide(true);
    await page.waitForTimeout(500);
    requests.length = 0;
    await page.waitForTimeout(5_000);
    expect(requests).toEqual([]);
    await hide(false);
    await eventually(() => expect(requests).toContain('GET /ops/stats'));
    await close();
  }, 60_000);

  it('works below the path of a proxy, and shows to a key what it may see and do', async () => {
    const proxy = createServer((incoming, outgoing) => {
      const { method, url = '', headers } = incoming;
      const target = `${system.url}${url.replace(/^\/shop/, '')}`;
      const forwarded = { ...headers, host: '127.0.0.1', 'x-forwarded-for': '192.0.2.1' };
      const request = forward(target, { method, headers: forwarded }, (response) => {
        outgoing.writeHead(response.statusCode ?? 502, response.headers);
        response.pipe(outgoing);
      });
      request.on('error', () => outgoing.destroy());
      incoming.pipe(request);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
    const base = `http://127.0.0.1:${(proxy.address() as AddressInfo).port}/shop`;
    const key = await makeKey(['products:read', 'orders:read', 'ops:read']);
    for (const entry of ['/', '/console', '/console/']) {
      const { page, faults, close } = await openPage(browser, `${base}${entry}#/products/${product}`, {
        ...DESKTOP,
        key,
      });
      await page.getByRole('heading', { name: 'Mechanical keyboard' }).waitFor();
      await page.getByText('You can look, but not act').waitFor();
      expect(await page.getByRole('button', { name: 'Adjust the stock' }).isDisabled()).toBe(true);
      expect(await page.getByRole('link', { name: 'API', exact: true }).getAttribute('href')).toBe(`${base}/docs`);
      expect(faults).toEqual([]);
      await close();
    }
    const narrow = { ...DESKTOP, key: await makeKey(['products:read']) };
    const { page, close } = await openPage(browser, `${base}/console#/orders`, narrow);
    await page.getByText('This needs the scope orders:read').waitFor();
    expect(await page.getByRole('navigation', { name: 'Console' }).getByRole('link').allTextContents()).toEqual([
      'Order system',
      'Products',
      'API',
      'Jobs',
    ]);
    await close();
    proxy.closeAllConnections();
    proxy.close();
  }, 60_000);

  it('shows a gap, and no error, while Redis is away', async () => {
    const redis = system.pidOf('Redis');
    const { page, faults, close } = await open();
    await page.locator('.reading', { hasText: 'Queue' }).getByText('up').waitFor();
    process.kill(redis, 'SIGSTOP');
    try {
      await page.locator('.reading', { hasText: 'Queue' }).getByText('down').waitFor({ timeout: 30_000 });
      await page.locator('.reading', { hasText: 'Shop' }).getByText('sells, degraded').waitFor();
      expect(await page.locator('.failure').count()).toBe(0);
      await page.goto(`${system.url}/console#/queues`);
      await page.getByText('The queue is not available').first().waitFor({ timeout: 15_000 });
    } finally {
      process.kill(redis, 'SIGCONT');
    }
    await page.locator('td', { hasText: 'hand-over' }).waitFor({ timeout: 30_000 });
    expect(faults.filter((fault) => !fault.includes('503'))).toEqual([]);
    await close();
  }, 90_000);

  it('lets an EventSource follow an order to its end', async () => {
    const { page, faults, close } = await open();
    const { body } = await api().post('/orders', { product_id: product });
    const followed = await page.evaluate(`new Promise((resolve) => {
      const types = [];
      const source = new EventSource('/api/v1/orders/${body.id}/events');
      for (const type of ['order.created', 'order.processing', 'order.completed']) {
        source.addEventListener(type, ({ lastEventId }) => {
          types.push(lastEventId + ' ' + type);
          if (type !== 'order.completed') return;
          source.close();
          resolve(types);
        });
      }
    })`);
    expect(followed).toEqual(['1 order.created', '2 order.processing', '3 order.completed']);
    expect(faults).toEqual([]);
    await close();
  });
});

import { type ChildProcess, spawn } from 'node:child_process';
import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { createTemporaryFolder } from '../../tools/temporary-folder.ts';
import { freePort } from '../../tools/processes.ts';
import { createClient } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { BASE_ENVIRONMENT } from '../support/base-environment.js';

const ROOT = path.resolve(import.meta.dirname, '../..');
const SHOP = 'packages/example-shop/index.js';

describe('plug-ins', () => {
  let environment: Environment;
  const children: ChildProcess[] = [];

  beforeEach(async () => {
    environment = await createEnvironment({ ORDER_PROCESSING_DELAY_MS: '0' });
  });

  afterEach(async () => {
    for (const child of children.splice(0)) {
      const closed = new Promise((resolve) => child.once('close', resolve));
      if (child.exitCode === null && child.kill('SIGTERM')) await closed;
    }
    await environment.close();
  });

  /** A process, with all that it has printed so far. */
  const run = (args: readonly string[], variables: Record<string, string> = {}) => {
    const env = { ...BASE_ENVIRONMENT, ...environment.variables, LOG_LEVEL: 'info', ...variables };
    const child = spawn(process.execPath, args, { cwd: ROOT, env });
    children.push(child);
    const said: string[] = [];
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk: Buffer) => said.push(chunk.toString()));
    return { said: () => said.join(''), ended: new Promise((resolve) => child.once('close', resolve)) };
  };
  const until = (process: { said: () => string }, text: string) =>
    eventually(() => expect(process.said()).toContain(text), 30_000);
  const main = (...args: string[]) => ['dist/src/main.js', ...args];

  it('fulfil orders, cancel them and tell customers, as docs/extending.md says', async () => {
    const guide = await readFile(path.join(ROOT, 'docs/extending.md'), 'utf8');
    expect(guide).toContain(`node packages/example-shop/provider.js`);
    expect(guide).toContain(`npm start -- --plugin ${SHOP}`);
    const [port, providerPort] = [String(await freePort()), String(await freePort())];
    const provider = run(['packages/example-shop/provider.js'], { PORT: providerPort });
    await until(provider, 'the provider is up');
    const variables = { PORT: port, SHOP_PROVIDER: `http://127.0.0.1:${providerPort}` };
    const api = run(main('--plugin', SHOP), variables);
    const worker = run(main('--worker', '--plugin', SHOP), variables);
    await until(api, 'is up');
    await until(worker, 'is up');
    const client = createClient(`http://127.0.0.1:${port}`);
    const product_id = await client.createProduct({ stock: 100 });
    const { body } = await client.post('/orders', { product_id, quantity: 2 });
    await until(provider, `order ${body.id}: fulfilled for 179.80`);
    await until(worker, `mail ${body.id}-3: order ${body.id} is on its way`);
    const { body: dear } = await client.post('/orders', { product_id, quantity: 12 });
    await until(worker, `order ${dear.id} could not be fulfilled; nothing was charged`);
    expect((await client.get(`/orders/${dear.id}/status`)).body.status).toBe('failed');
    expect((await client.get(`/products/${product_id}`)).body.stock).toBe(98);
  }, 90_000);

  it('stop the start when they do not load, are none, or bring two gateways, with all problems at once', async () => {
    const folder = await createTemporaryFolder('plugins');
    const none = path.join(folder, 'none.mjs');
    const broken = path.join(folder, 'broken.mjs');
    const gateway = path.join(folder, 'gateway.mjs');
    await writeFile(none, 'export default { name: "none", fulfilment: {} };');
    await writeFile(broken, 'throw new Error("it is broken");');
    await writeFile(gateway, 'export default { name: "second", fulfilment: () => ({ fulfil() {}, cancel() {} }) };');
    const worker = run(main('--worker', '--plugin', gateway), {
      PLUGINS: [SHOP, none, broken, 'no-such-package'].join(','),
    });
    expect(await worker.ended).toBe(2);
    for (const problem of [
      `${none}: its default export must be { name, imports?, fulfilment?, subscribers? }`,
      `${broken}: it is broken`,
      "no-such-package: Cannot find package 'no-such-package'",
      'two gateways: example-shop, second; one is possible',
    ]) {
      expect(worker.said()).toContain(problem);
    }
  }, 60_000);

  it.each(['() => undefined', 'async () => ({ fulfil() {} })'])(
    'that promise a gateway and give none stop the worker: %s',
    async (fulfilment) => {
      const file = path.join(await createTemporaryFolder('plugins'), 'gateway.mjs');
      await writeFile(file, `export default { name: 'nothing', fulfilment: ${fulfilment} };`);
      const worker = run(main('--worker', '--plugin', file));
      expect(await worker.ended).toBe(2);
      expect(worker.said()).toContain('must give an object with the methods fulfil and cancel');
    },
    30_000,
  );

  it('bring modules to the API, below its base path', async () => {
    const folder = await createTemporaryFolder('plugins');
    const file = path.join(folder, 'module.mjs');
    const nest = import.meta.resolve('@nestjs/common');
    await writeFile(
      file,
      `import { Controller, Get, Module } from '${nest}';
       import { Access } from '${path.join(ROOT, 'dist/src/index.js')}';
       class HelloController { hello() { return { hello: 'shop' }; } }
       const hello = [HelloController.prototype, 'hello', Object.getOwnPropertyDescriptor(HelloController.prototype, 'hello')];
       Get()(...hello);
       Access(['orders:read'])(...hello);
       Controller('hello')(HelloController);
       class HelloModule {}
       Module({ controllers: [HelloController] })(HelloModule);
       export default { name: 'hello', imports: { api: [HelloModule] } };`,
    );
    const port = String(await freePort());
    const api = run(main('--plugin', file), { PORT: port });
    await until(api, 'is up');
    expect((await createClient(`http://127.0.0.1:${port}`).get('/hello')).body).toEqual({ hello: 'shop' });
  }, 60_000);

  it.each([['--audit', '--plugin', SHOP], ['--worker', '--dashboard'], ['--plugin'], ['--nonsense']])(
    'are taken by the API and the worker alone: %j',
    async (...args) => {
      const process = run(main(...args));
      expect(await process.ended).toBe(2);
      expect(process.said()).toContain('Unknown arguments');
    },
    30_000,
  );
});

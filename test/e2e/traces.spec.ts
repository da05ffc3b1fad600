import { Redis } from 'ioredis';
import { parseTraceparent } from '../../src/telemetry/tracing.js';
import { createClient } from '../support/api.js';
import { type Collector, type CollectedSpan, startCollector } from '../support/collector.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { type OwnRedis, startOwnRedis } from '../support/redis-server.js';
import { type RoleProcess, startRole } from '../support/role-process.js';

const SERVER = 2;
const CLIENT = 3;
const CONSUMER = 5;

describe('traces', () => {
  let environment: Environment;
  let redis: OwnRedis;
  let collector: Collector;
  const roles: RoleProcess[] = [];

  beforeAll(async () => {
    environment = await createEnvironment();
    redis = await startOwnRedis();
    collector = await startCollector();
  }, 60_000);

  afterEach(async () => {
    await Promise.all(roles.splice(0).map((role) => role.end('SIGKILL')));
  });

  afterAll(async () => {
    await collector.close();
    await redis.stop();
    await environment.close();
  });

  const start = (flags: string[], variables: Record<string, string> = {}) => {
    const role = startRole(flags, {
      ...environment.variables,
      ...redis.urls,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      ORDER_PROCESSING_DELAY_MS: '10',
      ...variables,
    });
    roles.push(role);
    return role;
  };
  const inTrace = (traceId: string) => collector.spans.filter((span) => span.traceId === traceId);
  const linkedTo = ({ spanId }: Pick<CollectedSpan, 'spanId'>) =>
    collector.spans.filter(({ links }) => links.includes(spanId));
  const stopAll = async () => Promise.all(roles.splice(0).map((role) => role.end('SIGTERM')));

  it.each([
    ['a lone order, by its job', 1],
    ['orders that are sold together, by their dispatch', 12],
  ])('lead from the request of a client to its batch, its job and the call of the gateway: %s', async (_how, count) => {
    const [api, worker] = [start([]), start(['--worker'])];
    const client = createClient(await api.url());
    const product = await client.createProduct({ stock: 100 });
    await eventually(() => expect(worker.log()).toContain('The worker is up'));
    const traceIds = Array.from(
      { length: count },
      (_each, index) => `${count}`.padStart(2, 'a') + `${index}`.padStart(30, 'b'),
    );
    const orders = await Promise.all(
      traceIds.map((traceId) =>
        client.post('/orders', { product_id: product }, { traceparent: `00-${traceId}-00f067aa0ba902b7-01` }),
      ),
    );
    await eventually(async () => {
      const statuses = await Promise.all(orders.map(async ({ body }) => client.get(`/orders/${body.id}/status`)));
      expect(new Set(statuses.map(({ body }) => body.status))).toEqual(new Set(['completed']));
    });
    await stopAll();

    orders.forEach(({ body, headers }, index) => {
      const [request, ...others] = inTrace(traceIds[index] ?? '');
      if (request === undefined) throw new Error('The request has no span');
      expect(others).toEqual([]);
      expect(request).toMatchObject({
        name: 'POST /api/v1/orders',
        kind: SERVER,
        parentSpanId: '00f067aa0ba902b7',
        service: 'order-system-api',
        attributes: {
          'http.route': '/api/v1/orders',
          'http.response.status_code': 201,
          'order_system.request_id': headers.get('x-request-id'),
        },
      });
      const linked = linkedTo(request);
      expect(linked.map(({ name }) => name).toSorted()).toEqual(['process order', 'stock batch']);
      const job = linked.find(({ name }) => name === 'process order');
      expect(job).toMatchObject({
        kind: CONSUMER,
        service: 'order-system-worker',
        attributes: { 'order_system.order_id': body.id },
      });
      expect(inTrace(job?.traceId ?? '').filter(({ parentSpanId }) => parentSpanId === job?.spanId)).toEqual([
        expect.objectContaining({ name: 'fulfil order', kind: CLIENT }),
      ]);
    });
  });

  it('name themselves in the lines of the log', async () => {
    const api = start([], { ACCESS_LOG: 'all' });
    const client = createClient(await api.url());
    const traceId = 'c'.repeat(32);
    await client.get('/products', { traceparent: `00-${traceId}-00f067aa0ba902b7-01` });
    await eventually(() => expect(api.log()).toContain(`"trace_id":"${traceId}"`));
  });

  it('follow the decision of the client, and the ratio where it has made none', async () => {
    const api = start([], { OTEL_TRACES_SAMPLER_ARG: '0' });
    const client = createClient(await api.url());
    const [asked, declined] = ['d'.repeat(32), 'e'.repeat(32)];
    const before = collector.spans.length;
    await client.get('/products', { traceparent: `00-${asked}-00f067aa0ba902b7-01` });
    await client.get('/products', { traceparent: `00-${declined}-00f067aa0ba902b7-00` });
    await client.get('/products');
    await stopAll();
    expect(collector.spans.slice(before).map(({ traceId }) => traceId)).toEqual([asked]);
  });

  it('are not what an order waits for: a collector that is away costs a warning', async () => {
    const away = { OTEL_EXPORTER_OTLP_ENDPOINT: 'http://127.0.0.1:9' };
    const api = start([], away);
    const client = createClient(await api.url());
    const product = await client.createProduct();
    expect((await client.post('/orders', { product_id: product })).status).toBe(201);
    await eventually(() => expect(api.log()).toContain('Spans cannot be sent'), 30_000);
    const begin = performance.now();
    expect(await api.end('SIGTERM')).toBe(0);
    expect(performance.now() - begin).toBeLessThan(8_000);
  }, 60_000);

  it('leave nothing in a job when nothing is traced', async () => {
    const api = start([], { OTEL_EXPORTER_OTLP_ENDPOINT: '' });
    const client = createClient(await api.url());
    const product = await client.createProduct();
    const { body } = await client.post('/orders', { product_id: product });
    const queue = new Redis(redis.urls.QUEUE_REDIS_URL);
    await eventually(async () =>
      expect(await queue.hget(`bull:orders:order-${body.id}`, 'data')).toBe(`{"orderId":${body.id}}`),
    );
    queue.disconnect();
  });

  it.each([
    '',
    'x',
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-${'a'.repeat(32)}-00f067aa0ba902b7-01-more`,
    { a: 1 },
  ])('take no parent from a header or a job that holds none: %j', (text) => {
    expect(parseTraceparent(text)).toBeUndefined();
  });
});

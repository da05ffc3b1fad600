import { randomUUID } from 'node:crypto';
import { KeyRing } from '../../src/access/key-ring.js';
import { loadConfig } from '../../src/config/config.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const TRIES = 10_000;
const CLIENTS = 16;
const OBJECTS = 50;

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });
const median = (values: number[]): number => values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? NaN;

let environment: Environment;
let api: Api;
let mallory: Record<string, string>;
const orders: number[] = [];
const reservations: number[] = [];

/** All that belongs to somebody. */
const everything = async (): Promise<unknown> =>
  (
    await environment.sql.query(
      `SELECT (SELECT jsonb_agg(to_jsonb(orders) ORDER BY id) FROM orders) AS orders,
              (SELECT jsonb_agg(to_jsonb(reservations) ORDER BY id) FROM reservations) AS reservations,
              (SELECT jsonb_agg(to_jsonb(products) ORDER BY id) FROM products) AS products,
              (SELECT count(*) FROM order_events) AS events, (SELECT count(*) FROM stock_movements) AS movements`,
    )
  ).rows;

beforeAll(async () => {
  environment = await createEnvironment({ AUTH: 'required', RATE_LIMIT: 'off' });
  const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'off' }, 'api'));
  const keyOf = async (fields: object) =>
    bearer((await open.post('/keys', { name: 'test', role: 'storefront', ...fields })).body.token);
  const alice = await keyOf({ customer_ref: 'alice' });
  mallory = await keyOf({ customer_ref: 'mallory' });
  const product = await open.createProduct({ stock: 1_000 });
  await open.close();
  api = await startApi(environment.config);
  await api.app.get(KeyRing, { strict: false }).run();
  for (let count = 0; count < OBJECTS; count++) {
    const key = { 'Idempotency-Key': `alice-${count}`, 'X-Request-Id': 'of-alice' };
    orders.push((await api.post('/orders', { product_id: product }, { ...alice, ...key })).body.id);
    reservations.push((await api.post('/reservations', { items: [{ product_id: product }] }, alice)).body.id);
  }
});

afterAll(async () => {
  await api.close();
  await environment.close();
});

it('a stranger who tries ten thousand ids, cursors, keys and streams reads nothing and changes nothing', async () => {
  const before = await everything();
  const ways: ((order: number, reservation: number) => Promise<Answer>)[] = [
    (order) => api.get(`/orders/${order}`, mallory),
    (order) => api.get(`/orders/${order}/status`, mallory),
    (order) => api.get(`/orders/${order}/events`, mallory),
    (order) => api.get(`/orders/${order}/events`, { ...mallory, Accept: 'text/event-stream', 'Last-Event-ID': '0' }),
    (order) => api.post(`/orders/${order}/cancel`, {}, mallory),
    (order) => api.post(`/orders/${order}/cancel`, {}, { ...mallory, 'Idempotency-Key': `alice-${order % OBJECTS}` }),
    (_order, reservation) => api.get(`/reservations/${reservation}`, mallory),
    (_order, reservation) => api.delete(`/reservations/${reservation}`, mallory),
    (_order, reservation) => api.post('/orders', { reservation_id: reservation }, mallory),
    (_order, reservation) =>
      api.post('/orders', { reservation_id: reservation }, { ...mallory, 'Idempotency-Key': randomUUID() }),
  ];
  const lists: ((order: number) => Promise<Answer>)[] = [
    (order) => api.get(`/orders?before=${order + 1}&page_size=100`, mallory),
    () => api.get('/orders?customer_ref=alice', mallory),
    () => api.get('/orders?request_id=of-alice', mallory),
    (order) => api.get(`/orders?page=${order}&status=pending`, mallory),
  ];
  const seen: string[] = [];
  const times = { theirs: [] as number[], nothing: [] as number[] };
  let tries = 0;
  const attack = async () => {
    while (tries < TRIES) {
      const turn = tries++;
      const isTheirs = turn % 2 === 0;
      const index = Math.floor(turn / 2) % OBJECTS;
      const [order = 0, reservation = 0] = isTheirs ? [orders[index], reservations[index]] : [10 ** 9, 10 ** 9];
      const list = turn % 20 === 0 ? lists[(turn / 20) % lists.length] : undefined;
      if (list !== undefined) {
        const { status, body } = await list(order);
        if (status !== 200 || body.items.length > 0 || body.total !== 0) seen.push(`list: ${JSON.stringify(body)}`);
        continue;
      }
      const way = ways[Math.floor(turn / 2) % ways.length];
      const begin = performance.now();
      const answer = await way?.(order, reservation);
      times[isTheirs ? 'theirs' : 'nothing'].push(performance.now() - begin);
      if (answer?.status !== 404) seen.push(`${turn}: ${answer?.status} ${JSON.stringify(answer?.body)}`);
    }
  };
  await Promise.all(Array.from({ length: CLIENTS }, attack));
  process.stdout.write(
    `another's ${median(times.theirs).toFixed(2)} ms, nothing ${median(times.nothing).toFixed(2)} ms (median of ${times.theirs.length} each)\n`,
  );
  expect(seen).toEqual([]);
  expect(await everything()).toEqual(before);
}, 180_000);

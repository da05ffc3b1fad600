import { loadConfig } from '../../src/config/config.js';
import { KeyRing } from '../../src/access/key-ring.js';
import { type Answer, type Api, startApi } from '../support/api.js';
import { createEnvironment, type Environment } from '../support/environment.js';
import { REAL, setLimits } from '../support/limits.js';

const bearer = (token: string) => ({ Authorization: `Bearer ${token}` });

let environment: Environment;
let api: Api;
let shop: Record<string, string>;
let other: Record<string, string>;
let alice: Record<string, string>;

beforeAll(async () => {
  environment = await createEnvironment({ AUTH: 'required', HOLD_LIMIT: '30' });
  const open = await startApi(loadConfig({ ...environment.variables, AUTH: 'off' }, 'api'));
  const keyOf = async (fields: object) =>
    bearer((await open.post('/keys', { name: 'test', role: 'admin', ...fields })).body.token);
  [shop, other, alice] = [await keyOf({}), await keyOf({}), await keyOf({ customer_ref: 'alice' })];
  await open.close();
  api = await startApi(environment.config);
  await api.app.get(KeyRing, { strict: false }).run();
});

afterAll(async () => {
  await api.close();
  await environment.close();
});

const create = async (stock: number): Promise<number> =>
  (await api.post('/products', { name: 'Console', price: 500, stock }, shop)).body.id;
const hold = async (caller: Record<string, string>, product_id: number, fields: object = {}): Promise<Answer> =>
  api.post('/reservations', { items: [{ product_id, ...fields }] }, caller);
const granted = (answers: readonly Answer[]) => answers.filter(({ status }) => status === 201);

it('one holder has its share of the stock and of all holds, whatever comes at once; others have theirs', async () => {
  const product = await create(10);
  const all = await Promise.all(Array.from({ length: 30 }, () => hold(shop, product)));
  expect(granted(all)).toHaveLength(3);
  const refused = all.find(({ status }) => status !== 201);
  expect(refused?.body).toMatchObject({ status: 409, code: 'HOLD_LIMIT', limit: 3, held: 3 });
  expect(granted(await Promise.all(Array.from({ length: 9 }, () => hold(alice, product))))).toHaveLength(3);
  expect(granted(await Promise.all(Array.from({ length: 9 }, () => hold(other, product))))).toHaveLength(3);
  expect((await hold(other, product)).body.code).toBe('HOLD_LIMIT');
  // What is bought is not held any more, and stock and holds are less.
  const [first] = granted(all);
  expect((await api.post('/orders', { reservation_id: first?.body.id }, shop)).status).toBe(201);
  expect((await hold(shop, product)).body).toMatchObject({ code: 'HOLD_LIMIT', limit: 2, held: 2 });
  const second = granted(all)[1];
  await api.delete(`/reservations/${second?.body.id}`, shop);
  expect((await hold(shop, product)).status).toBe(201);
  expect((await api.get(`/products/${product}`, shop)).body.stock).toBe(1);
});

it('a shop holds for each of its customers', async () => {
  const product = await create(10);
  const forCustomer = (customer_ref: string, quantity: number) =>
    api.post('/reservations', { items: [{ product_id: product, quantity }], customer_ref }, shop);
  const answers = [await forCustomer('bob', 3), await forCustomer('carol', 3), await forCustomer('bob', 1)];
  expect(answers.map(({ status }) => status)).toEqual([201, 201, 409]);
});

it('a customer has so many reservations at a time and no more', async () => {
  setLimits({ ...REAL, customerReservations: 5 });
  const product = await create(1_000);
  const before = (
    await environment.sql.query(`SELECT FROM reservations WHERE held_by = 'customer:alice' AND status = 'held'`)
  ).rowCount;
  const all = await Promise.all(Array.from({ length: 12 }, () => hold(alice, product)));
  expect(granted(all)).toHaveLength(5 - (before ?? 0));
  const refused = all.find(({ status }) => status !== 201);
  expect(refused?.body).toMatchObject({ status: 409, code: 'TOO_MANY_RESERVATIONS', limit: 5 });
  expect(granted([await hold(shop, product)])).toHaveLength(1);
  setLimits(REAL);
});

it('tells of what is not there, and of what is sold out, as without a limit', async () => {
  const product = await create(0);
  expect((await hold(shop, product)).body.code).toBe('INSUFFICIENT_STOCK');
  expect((await hold(shop, 987_654_321)).body.code).toBe('PRODUCT_NOT_FOUND');
  const last = await create(1);
  expect((await hold(shop, last)).status).toBe(201);
});

it('a shop that names no customer may have any number of reservations', async () => {
  setLimits({ ...REAL, customerReservations: 5 });
  const product = await create(1_000);
  expect(granted(await Promise.all(Array.from({ length: 40 }, () => hold(other, product))))).toHaveLength(40);
  setLimits(REAL);
});

it.each(['0', '101', 'half'])('refuses to start with HOLD_LIMIT=%s', (HOLD_LIMIT) => {
  expect(() => loadConfig({ ...environment.variables, HOLD_LIMIT }, 'api')).toThrow(/HOLD_LIMIT/);
});

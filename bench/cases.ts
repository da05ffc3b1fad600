/** What `npm run bench -- --against CHECKOUT` measures: each step of an order's life, and reads. */
import { CLIENTS, PRODUCTS } from './contests.ts';
import { drain } from './drain.ts';
import { load, loadAlone, type Measured, type Request } from './load.ts';
import { purchases, type Shop } from './shop.ts';
import type { Process, Stage } from './stage.ts';

export interface Contender {
  checkout: string;
  api: Process;
  /** By which requests are let in. */
  key: string | undefined;
}

export interface Turn {
  /** Requests, or orders, a second. */
  rate: number;
  /** Microseconds of the processor time of the API, or of the worker, for each. */
  cost: number;
}

/** Takes one turn. */
export type Case = (contender: Contender) => Promise<Turn>;

/** Its process is started anew for each turn, so there is nothing to warm up. */
export const WORKER_CASE = 'the worker, 50 orders under way';

const SECONDS = 1;
/** More than are used up in a turn. */
const ROWS = 12_000;

/** The cases by their names, in the order in which they are measured. */
export function casesOn(stage: Stage, shop: Shop, processorTimeOf: (pid: number) => number): Record<string, Case> {
  const turn = async ({ api }: Contender, measure: () => Promise<Measured>): Promise<Turn> => {
    const before = processorTimeOf(api.pid);
    const { rate, requests, refused, broken } = await measure();
    if (refused + broken > 0) throw new Error(`${refused} requests were refused and ${broken} not answered`);
    return { rate, cost: (processorTimeOf(api.pid) - before) / requests };
  };
  const by =
    (requests: readonly Request[], { keyed = false }: { keyed?: boolean } = {}): Case =>
    (contender) =>
      turn(contender, () =>
        load({ url: contender.api.url, key: contender.key, requests, connections: CLIENTS, seconds: SECONDS, keyed }),
      );
  /** Of rows that are made before each turn and used up in it, one after the other. */
  const ofEach =
    (request: Request, rows: (shop: Shop, count: number) => Promise<number>): Case =>
    async (contender) => {
      const first = await rows(shop, ROWS);
      return turn(contender, () =>
        load({
          url: contender.api.url,
          key: contender.key,
          requests: [request],
          connections: CLIENTS,
          seconds: SECONDS,
          first,
        }),
      );
    };
  const get = (path: string): Request[] => [{ method: 'GET', path: `/api/v1${path}` }];
  const post = (path: string, body?: unknown): Request => ({ method: 'POST', path: `/api/v1${path}`, body });
  const reads = (path: string): Case =>
    by(Array.from({ length: 500 }, (_, index) => get(`/orders/${index + 1}${path}`)).flat());
  const alone: Case = (contender) =>
    turn(contender, () =>
      loadAlone(contender.api.url, post('/orders', { product_id: 1 }), { seconds: 2 * SECONDS, key: contender.key }),
    );
  const drained: Case = async ({ api, key, checkout }) => {
    const { rate, cost } = await drain({ stage, shop, api, key, checkout, processorTimeOf }, 50);
    return { rate, cost };
  };
  return {
    'one hot product': by(purchases(1)),
    'one hot product, with keys': by(purchases(1), { keyed: true }),
    '100 products': by(purchases(PRODUCTS)),
    'a lone client': alone,
    reserve: by([post('/reservations', { items: [{ product_id: 1 }], ttl_seconds: 3_600 })]),
    'confirm a reservation': ofEach(post('/orders', { reservation_id: '{next}' }), (each, count) => each.hold(count)),
    'release a reservation': ofEach({ method: 'DELETE', path: '/api/v1/reservations/{next}' }, (each, count) =>
      each.hold(count),
    ),
    'cancel an order': ofEach(post('/orders/{next}/cancel'), (each, count) => each.sell(count)),
    'adjust a stock': by([post('/products/1/stock-adjustments', { delta: 1, reason: 'delivery' })]),
    order: reads(''),
    'status of an order': reads('/status'),
    'events of an order': reads('/events'),
    'first page of orders': by(get('/orders')),
    'cached product': by(get('/products/1/cached')),
    'plain product': by(get('/products/1')),
    'first page of products': by(get('/products')),
    'a search': by(get('/products?search=product')),
    [WORKER_CASE]: drained,
  };
}

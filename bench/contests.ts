/** The contests: what is asked of whom. */
import type { Contender, Contest } from './contest.ts';
import { load, loadAlone, type Measured, type Request } from './load.ts';
import { pgbench } from './pgbench.ts';
import { largePurchases, purchases, type Shop } from './shop.ts';
import type { Process, Stage } from './stage.ts';

export const CLIENTS = 64;
export const PRODUCTS = 100;

export interface Field {
  stage: Stage;
  shop: Shop;
  /** The shop of the peers. */
  textbook: Shop;
  api: Process;
  /** A second process of the same API, on the same database. */
  otherApi: Process;
  optimistic: Process;
  /** Its queue cannot be reached, so it dispatches nothing. */
  withoutDispatch: Process;
  peer: Process;
  seconds: number;
}

const EMPTY_POST: Request = { method: 'POST', path: '/api/v1/empty', body: { product_id: 1 } };
const EMPTY_GET: Request = { method: 'GET', path: '/api/v1/empty' };
const CACHED: Request = { method: 'GET', path: '/api/v1/products/1/cached' };
const PLAIN: Request = { method: 'GET', path: '/api/v1/products/1' };
const LIST: Request = { method: 'GET', path: '/api/v1/products' };

export function contestsOn(field: Field): Contest[] {
  return [...purchaseContests(field), ...readContests(field)];
}

function purchaseContests({
  shop,
  textbook: peers,
  api,
  otherApi,
  optimistic,
  withoutDispatch,
  peer,
  stage,
  seconds,
}: Field): Contest[] {
  const open = () => Promise.all([shop, peers].map((each) => each.open(PRODUCTS)));
  const check = (measured: Measured, { name }: Contender) => {
    if (name.startsWith('empty')) return Promise.resolve();
    return (name.startsWith('this system') ? shop : peers).check(measured, CLIENTS);
  };
  const of = (name: string, { url }: Process, requests: readonly Request[]): Contender => ({
    name,
    measure: () => load({ url, requests, connections: CLIENTS, seconds }),
  });
  // Longer: of a lone client's requests in a second, one in a hundred is a handful, and that of the disk's worst moment.
  const alone = (name: string, { url }: Process): Contender => ({
    name,
    measure: () =>
      loadAlone(url, { method: 'POST', path: '/api/v1/orders', body: { product_id: 1 } }, { seconds: 3 * seconds }),
  });
  const textbook = (clients: number, products: number): Contender => ({
    name: `pgbench, ${clients} clients`,
    measure: () => pgbench({ databaseUrl: stage.textbook.url, clients, products, seconds }),
  });
  const hot = purchases(1);
  const spread = purchases(PRODUCTS);
  return [
    {
      name: 'one hot product',
      prepare: open,
      check,
      contenders: [
        of('this system', api, hot),
        { name: 'this system, two processes', measure: () => loadBoth([api, otherApi], hot, seconds) },
        of('this system, dispatching nothing', withoutDispatch, hot),
        of('this system, optimistic', optimistic, hot),
        of('one transaction an order', peer, hot),
        textbook(16, 1),
        textbook(CLIENTS, 1),
        of('empty POST', peer, [EMPTY_POST]),
      ],
    },
    {
      name: '100 products',
      prepare: open,
      check,
      contenders: [
        of('this system', api, spread),
        of('this system, optimistic', optimistic, spread),
        of('one transaction an order', peer, spread),
        textbook(16, PRODUCTS),
        textbook(CLIENTS, PRODUCTS),
      ],
    },
    {
      name: 'a lone client',
      prepare: open,
      check,
      contenders: [
        alone('this system', api),
        alone('this system, optimistic', optimistic),
        alone('one transaction an order', peer),
      ],
    },
    {
      name: 'three-item orders',
      prepare: open,
      check,
      contenders: [
        of('this system', api, largePurchases(PRODUCTS)),
        of('one transaction an order', peer, largePurchases(PRODUCTS)),
      ],
    },
    {
      name: 'sold-out product',
      prepare: () => shop.open(1, 0),
      check,
      contenders: [of('this system', api, hot), of('empty POST', peer, [EMPTY_POST])],
    },
  ];
}

function readContests({ shop, api, peer, seconds }: Field): Contest[] {
  const of = (name: string, process: Process, requests: readonly Request[]): Contender => ({
    name,
    measure: () => load({ url: process.url, requests, connections: CLIENTS, seconds }),
  });
  const everyday = [
    ...Array.from({ length: 60 }, (_, index) => ({ ...CACHED, path: `/api/v1/products/${index + 1}/cached` })),
    ...Array.from({ length: 15 }, (_, index) => ({ ...PLAIN, path: `/api/v1/products/${index + 1}` })),
    ...Array.from({ length: 10 }, () => LIST),
    ...purchases(15),
  ];
  return [
    {
      name: 'reads',
      prepare: () => shop.open(PRODUCTS),
      check: async ({ refused, broken }) => {
        if (refused + broken > 0) throw new Error(`${refused} reads were refused and ${broken} not answered`);
      },
      contenders: [
        of('cached product', api, [CACHED]),
        of('plain product', api, [PLAIN]),
        of('first page of products', api, [LIST]),
        of('empty GET', peer, [EMPTY_GET]),
      ],
    },
    {
      name: 'mixed traffic',
      contenders: [of('60 % cached, 15 % plain, 10 % lists, 15 % purchases', api, everyday)],
    },
  ];
}

/** The same number of clients, half of them at each process. */
async function loadBoth(
  processes: readonly Process[],
  requests: readonly Request[],
  seconds: number,
): Promise<Measured> {
  const [a, b] = await Promise.all(
    processes.map(({ url }) => load({ url, requests, connections: CLIENTS / 2, seconds })),
  );
  if (a === undefined || b === undefined) throw new Error('A load is missing');
  return {
    rate: a.rate + b.rate,
    p50: (a.p50 + b.p50) / 2,
    p99: Math.max(a.p99, b.p99),
    requests: a.requests + b.requests,
    refused: a.refused + b.refused,
    broken: a.broken + b.broken,
  };
}

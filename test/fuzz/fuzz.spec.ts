import fc from 'fast-check';
import { faultsOf } from '../support/document.js';
import { useApi } from '../support/use-api.js';
import { invalidRequest, type MadeRequest, validRequest, wrongMethod } from './arbitraries.js';

/** `npm run test:fuzz` makes many more, and others each time; what it fails with names its seed. */
const { FUZZ_REQUESTS } = process.env;
const REQUESTS = Number(FUZZ_REQUESTS ?? 3_000);
const SEED = FUZZ_REQUESTS === undefined ? { seed: 1 } : {};
const TIMEOUT_MS = Math.max(120_000, REQUESTS * 20);

const { api } = useApi();

interface Answered {
  readonly status: number;
  readonly text: string;
  readonly faults: readonly string[];
}

async function send({ method, path, headers, body }: MadeRequest): Promise<Answered> {
  const url = new URL(path, api.url).href;
  const response = await fetch(url, {
    method,
    headers: { 'Content-Type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  const contentType = response.headers.get('content-type');
  return {
    status: response.status,
    text,
    faults: faultsOf(method, url, { status: response.status, contentType, text }),
  };
}

/** What is wrong with an answer, whatever the request was. */
function wrongOf({ status, faults, text }: Answered): string[] {
  return [...(status >= 500 ? [`${status}: ${text}`] : []), ...faults];
}

const options = (share: number) => ({ numRuns: Math.ceil(REQUESTS * share), endOnFailure: true, ...SEED });

beforeAll(async () => {
  for (let count = 0; count < 20; count++) {
    const product = await api.createProduct({ name: `Product ${count}`, stock: 1_000_000 });
    await api.post('/orders', { product_id: product });
    await api.post('/reservations', { items: [{ product_id: product }] });
  }
});

it(
  'answers what the document allows as the document says',
  async () => {
    await fc.assert(
      fc.asyncProperty(validRequest(), async (request) => {
        expect(wrongOf(await send(request))).toEqual([]);
      }),
      options(0.5),
    );
  },
  TIMEOUT_MS,
);

it(
  'refuses what the document does not allow',
  async () => {
    await fc.assert(
      fc.asyncProperty(invalidRequest(), async (request) => {
        const answer = await send(request);
        expect(wrongOf(answer)).toEqual([]);
        if (answer.status < 400) throw new Error(`${request.fault} was answered ${answer.status}`);
      }),
      options(0.4),
    );
  },
  TIMEOUT_MS,
);

it(
  'knows which methods a path has',
  async () => {
    await fc.assert(
      fc.asyncProperty(wrongMethod(), async (request) => {
        expect(await send(request)).toMatchObject({ status: 405 });
      }),
      options(0.05),
    );
  },
  TIMEOUT_MS,
);

it(
  'finds nothing of what was deleted',
  async () => {
    await fc.assert(
      fc.asyncProperty(fc.string({ unit: 'grapheme-ascii', minLength: 1, maxLength: 20 }), async (name) => {
        const { status, body } = await api.post('/products', { name: `x${name}`, price: 1, stock: 1 });
        expect(status).toBe(201);
        const path = `/products/${body.id}`;
        expect((await api.delete(path)).status).toBe(204);
        const after = [
          await api.get(path),
          await api.get(`${path}/cached`),
          await api.put(path, { price: 2 }),
          await api.delete(path),
          await api.get(`${path}/stock-movements`),
          await api.post('/orders', { product_id: body.id }),
          await api.post('/reservations', { items: [{ product_id: body.id }] }),
        ];
        expect(new Set(after.map((each) => each.status))).toEqual(new Set([404]));
      }),
      options(0.005),
    );
  },
  TIMEOUT_MS,
);

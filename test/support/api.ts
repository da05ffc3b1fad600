import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { createApi } from '../../src/roles/api/create-api.js';
import { faultsOf } from './document.js';
import { noteCredentials } from './secrets.js';
import type { Config } from '../../src/config/config.js';

/** What came back: the parsed body is whatever the server sent, for a test to compare. */
export interface Answer {
  status: number;
  headers: Headers;
  // eslint-disable-next-line @typescript-eslint/no-explicit-any -- a test asserts on the body, whatever its shape
  body: any;
}

type WithBody = (path: string, body?: unknown, headers?: Record<string, string>) => Promise<Answer>;

export interface Client {
  url: string;
  get: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  post: WithBody;
  put: WithBody;
  delete: (path: string, headers?: Record<string, string>) => Promise<Answer>;
  send: (path: string, request: RequestInit) => Promise<Answer>;
  /** Creates a product and gives its id. */
  createProduct: (overrides?: { name?: string; price?: number; stock?: number }) => Promise<number>;
}

export interface Api extends Client {
  app: NestFastifyApplication;
  close: () => Promise<void>;
}

/** Starts the API in this process, on a port of its own. */
export async function startApi(config: Config): Promise<Api> {
  const app = await createApi(config);
  await app.listen(0, '127.0.0.1');
  return { ...createClient(await app.getUrl()), app, close: () => app.close() };
}

/** Talks to an API over HTTP; paths are relative to the base path. An answer that is not as the document has it is an error. */
export function createClient(origin: string): Client {
  const url = `${origin}/api/v1`;
  const send = async (path: string, request: RequestInit): Promise<Answer> => {
    noteCredentials(request.headers);
    const response = await fetch(`${url}${path}`, request);
    const text = await response.text();
    const contentType = response.headers.get('content-type');
    const method = request.method ?? 'GET';
    const faults = faultsOf(method, `${url}${path}`, { status: response.status, contentType, text });
    if (faults.length > 0)
      throw new Error(`${method} ${path} is not answered as documented: ${faults.join('; ')}\n${text}`);
    return { status: response.status, headers: response.headers, body: text === '' ? undefined : JSON.parse(text) };
  };
  const withBody =
    (method: string): WithBody =>
    (path, body, headers = {}) =>
      send(path, { method, headers: { 'Content-Type': 'application/json', ...headers }, body: JSON.stringify(body) });
  const post = withBody('POST');
  return {
    url,
    send,
    post,
    put: withBody('PUT'),
    get: (path, headers) => send(path, { headers }),
    delete: (path, headers) => send(path, { method: 'DELETE', headers }),
    createProduct: async (overrides = {}) => {
      const { status, body } = await post('/products', { name: 'Keyboard', price: 89.9, stock: 10, ...overrides });
      if (status !== 201) throw new Error(JSON.stringify(body));
      return body.id;
    },
  };
}

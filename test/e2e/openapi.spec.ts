import { readFile, writeFile } from 'node:fs/promises';
import { createApi } from '../../src/roles/api/create-api.js';
import { createOpenApiDocument } from '../../src/http/pages/documentation-pages.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const FILE = new URL('../../openapi.json', import.meta.url);

interface Operation {
  summary?: string;
  responses: Record<string, { content?: Record<string, { schema?: object; example?: object }> }>;
}

describe('the OpenAPI document', () => {
  let environment: Environment;
  let document: { paths: Record<string, Record<string, Operation>> };

  beforeAll(async () => {
    environment = await createEnvironment();
    const app = await createApi(environment.config);
    await app.init();
    document = JSON.parse(JSON.stringify(createOpenApiDocument(app)));
    await app.close();
  });

  afterAll(() => environment.close());

  /** `npm run openapi` writes it. */
  it('is the one that is committed', async () => {
    if (process.env.WRITE_OPENAPI === '1') await writeFile(FILE, `${JSON.stringify(document, null, 2)}\n`);
    expect(document).toEqual(JSON.parse(await readFile(FILE, 'utf8')));
  });

  it('describes every route of the contract and every answer of it', () => {
    const answers = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { responses }]) => [
        `${method.toUpperCase()} ${path}`,
        Object.keys(responses).join(' '),
      ]),
    );
    expect(Object.fromEntries(answers)).toEqual({
      'POST /api/v1/products': '201 409 413 415 422 503',
      'GET /api/v1/products': '200 422 503',
      'GET /api/v1/products/{id}': '200 304 404 422 503',
      'GET /api/v1/products/{id}/cached': '200 304 404 422 503',
      'PUT /api/v1/products/{id}': '200 404 412 413 415 422 503',
      'DELETE /api/v1/products/{id}': '204 404 412 422 503',
      'GET /api/v1/products/{id}/stock-movements': '200 404 422 503',
      'POST /api/v1/products/{id}/stock-adjustments': '201 400 404 409 413 415 422 503',
      'POST /api/v1/orders': '201 400 404 409 413 415 422 503',
      'GET /api/v1/orders': '200 422 503',
      'GET /api/v1/orders/{id}': '200 404 422 503',
      'GET /api/v1/orders/{id}/status': '200 404 422 503',
      'GET /api/v1/orders/{id}/events': '200 404 422 503',
      'POST /api/v1/orders/{id}/cancel': '200 404 409 413 415 422 503',
      'POST /api/v1/reservations': '201 400 404 409 413 415 422 503',
      'GET /api/v1/reservations/{id}': '200 404 422 503',
      'DELETE /api/v1/reservations/{id}': '204 404 409 422 503',
      'GET /api/v1/health': '200',
      'GET /api/v1/health/ready': '200 503',
      'GET /api/v1/health/audit': '200 503',
      'GET /api/v1/health/cache/stats': '200 503',
    });
  });

  it('gives every answer with a body a schema, and every problem an example', () => {
    for (const operations of Object.values(document.paths)) {
      for (const { responses, summary } of Object.values(operations)) {
        expect(summary).toBeDefined();
        for (const [status, { content }] of Object.entries(responses)) {
          if (status === '204' || status === '304') continue;
          const [media] = Object.values(content ?? {});
          expect(media?.schema).toBeDefined();
          if (content?.['application/problem+json'] !== undefined) {
            expect(media?.example).toMatchObject({ status: Number(status), code: expect.any(String) });
          }
        }
      }
    }
  });
});

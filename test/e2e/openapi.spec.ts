import { readFile, writeFile } from 'node:fs/promises';
import { createConfig, lintFromString } from '@redocly/openapi-core';
import { ERROR_CODES } from '../../src/kernel/error-codes.js';
import { createApi } from '../../src/roles/api/create-api.js';
import { createOpenApiDocument } from '../../src/http/pages/documentation-pages.js';
import { createEnvironment, type Environment } from '../support/environment.js';

const FILE = new URL('../../openapi.json', import.meta.url);

interface Operation {
  operationId: string;
  summary?: string;
  responses: Record<string, { content?: Record<string, { schema?: object; example?: object }> }>;
}

describe('the OpenAPI document', () => {
  let environment: Environment;
  let document: {
    paths: Record<string, Record<string, Operation>>;
    components: { schemas: Record<string, { properties?: Record<string, { enum?: string[]; format?: string }> }> };
  };

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

  it('passes the rules that Redocly recommends', async () => {
    const config = await createConfig({ extends: ['recommended'] });
    const problems = await lintFromString({ source: JSON.stringify(document), absoluteRef: 'openapi.json', config });
    expect(problems.map(({ ruleId, message, location }) => [ruleId, message, location[0]?.pointer])).toEqual([]);
  });

  it('names each operation as a person would, once, and lists every code and the format of every id', () => {
    const operations = Object.values(document.paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(ids.sort()).toEqual([
      'adjustStock',
      'adjustStockAsOperator',
      'cancelOrder',
      'cancelOrderAsOperator',
      'createKey',
      'createOrder',
      'createProduct',
      'createReservation',
      'deleteProduct',
      'getAudit',
      'getCacheStatistics',
      'getCachedProduct',
      'getConsole',
      'getLiveness',
      'getOrder',
      'getOrderStatus',
      'getProduct',
      'getReadiness',
      'getReservation',
      'listActions',
      'listAuditRuns',
      'listDeadLetters',
      'listEvents',
      'listFlashSales',
      'listKeys',
      'listOrderEvents',
      'listOrders',
      'listProducts',
      'listQueues',
      'listStatistics',
      'listStockMovements',
      'listWorkers',
      'redriveDeadLetters',
      'releaseReservation',
      'requestAudit',
      'revokeKey',
      'rollKey',
      'startFlashSale',
      'updateProduct',
    ]);
    const { schemas } = document.components;
    expect(schemas.ProblemDetails?.properties?.code?.enum).toEqual(ERROR_CODES);
    const fields = Object.values(schemas).flatMap(({ properties = {} }) => Object.entries(properties));
    // The place in the log of events (`next` of its page) is a cursor, and no id.
    const idFields = Object.entries(schemas)
      .flatMap(([schema, { properties = {} }]) => (schema === 'EventPage' ? [] : Object.entries(properties)))
      .filter(
        ([name, field]) =>
          /^(id|.+_id|next)$/.test(name) && !['request_id', 'job_id'].includes(name) && field.format !== 'uuid',
      );
    expect(idFields.length).toBeGreaterThan(10);
    for (const [, field] of idFields) expect(field).toMatchObject({ type: 'integer', format: 'int64' });
    expect(fields.filter(([, field]) => 'default' in field)).toEqual([]);
  });

  it('describes every route of the contract and every answer of it', () => {
    const answers = Object.entries(document.paths).flatMap(([path, operations]) =>
      Object.entries(operations).map(([method, { responses }]) => [
        `${method.toUpperCase()} ${path}`,
        Object.keys(responses).join(' '),
      ]),
    );
    expect(Object.fromEntries(answers)).toEqual({
      'GET /api/v1/events': '200 401 403 410 422 429 503',
      'POST /api/v1/products': '201 401 403 409 413 415 422 429 503',
      'GET /api/v1/products': '200 401 403 422 429 503',
      'GET /api/v1/products/{id}': '200 304 401 403 404 422 429 503',
      'GET /api/v1/products/{id}/cached': '200 304 401 403 404 422 429 503',
      'PUT /api/v1/products/{id}': '200 401 403 404 412 413 415 422 429 503',
      'DELETE /api/v1/products/{id}': '204 401 403 404 412 422 429 503',
      'GET /api/v1/products/{id}/stock-movements': '200 401 403 404 422 429 503',
      'POST /api/v1/products/{id}/stock-adjustments': '201 400 401 403 404 409 413 415 422 429 503',
      'POST /api/v1/orders': '201 400 401 403 404 409 413 415 422 429 503',
      'GET /api/v1/actions': '200 401 403 422 429 503',
      'POST /api/v1/keys': '201 401 403 409 413 415 422 429 503',
      'GET /api/v1/keys': '200 401 403 422 429 503',
      'POST /api/v1/keys/{id}/roll': '200 401 403 404 409 413 415 422 429 503',
      'DELETE /api/v1/keys/{id}': '204 401 403 404 422 429 503',
      'GET /api/v1/ops/audit-runs': '200 401 403 422 429 503',
      'POST /api/v1/ops/audit-runs': '202 401 403 409 413 415 422 429 503',
      'GET /api/v1/ops/console': '200 401 408 429 503',
      'GET /api/v1/ops/dead-letters': '200 401 403 422 429 503',
      'POST /api/v1/ops/dead-letters/redrive': '200 401 403 409 413 415 422 429 503',
      'GET /api/v1/ops/flash-sales': '200 401 403 408 429 503',
      'POST /api/v1/ops/flash-sales': '202 401 403 409 413 415 422 429 503',
      'POST /api/v1/ops/orders/{id}/cancel': '200 401 403 404 409 413 415 422 429 503',
      'POST /api/v1/ops/products/{id}/stock-adjustments': '201 400 401 403 404 409 413 415 422 429 503',
      'GET /api/v1/ops/queues': '200 401 403 408 429 503',
      'GET /api/v1/ops/stats': '200 401 403 422 429 503',
      'GET /api/v1/ops/workers': '200 401 403 408 429 503',
      'GET /api/v1/orders': '200 401 403 422 429 503',
      'GET /api/v1/orders/{id}': '200 401 403 404 422 429 503',
      'GET /api/v1/orders/{id}/status': '200 401 403 404 422 429 503',
      'GET /api/v1/orders/{id}/events': '200 401 403 404 422 429 503',
      'POST /api/v1/orders/{id}/cancel': '200 401 403 404 409 413 415 422 429 503',
      'POST /api/v1/reservations': '201 400 401 403 404 409 413 415 422 429 503',
      'GET /api/v1/reservations/{id}': '200 401 403 404 422 429 503',
      'DELETE /api/v1/reservations/{id}': '204 401 403 404 409 422 429 503',
      'GET /api/v1/health': '200 408',
      'GET /api/v1/health/ready': '200 408 503',
      'GET /api/v1/health/audit': '200 401 403 408 429 503',
      'GET /api/v1/health/cache/stats': '200 408 503',
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

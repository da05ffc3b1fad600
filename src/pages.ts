import { fileURLToPath } from 'node:url';
import { readFile } from 'node:fs/promises';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { NAME, VERSION } from './common/version.js';

const REDOC_SCRIPT = fileURLToPath(import.meta.resolve('redoc/bundles/redoc.standalone.js'));

/** ReDoc fetches its own logo from a host of its makers; a page that works without any other host draws none. */
const REDOC_LOGO = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g;
const NO_LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

const REDOC_PAGE = `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${NAME} API</title>
    <link rel="icon" href="data:,">
    <style>body { margin: 0 }</style>
  </head>
  <body>
    <div id="redoc"></div>
    <script type="module">
      import { init } from '/redoc/redoc.standalone.js';
      init('/openapi.json', { disableTelemetry: true }, document.getElementById('redoc'));
    </script>
  </body>
</html>
`;

/** The OpenAPI document of the application: every path with its base path, every answer with its schema. */
export function createOpenApiDocument(app: NestFastifyApplication): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle(NAME)
    .setVersion(VERSION)
    .setDescription('Sells products from stock: never oversells, loses nothing. Errors are RFC 9457 problem details.')
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .build();
  return SwaggerModule.createDocument(app, options, {
    operationIdFactory: (controller, method) => `${method}${controller.replace('Controller', '')}`,
  });
}

/** Serves `/openapi.json`, Swagger UI at `/docs` and ReDoc at `/redoc`, all from this host alone. */
export async function servePages(app: NestFastifyApplication): Promise<void> {
  SwaggerModule.setup('docs', app, createOpenApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    raw: ['json'],
    customSiteTitle: `${NAME} API`,
  });
  const script = (await readFile(REDOC_SCRIPT, 'utf8')).replaceAll(REDOC_LOGO, NO_LOGO);
  const server = app.getHttpAdapter().getInstance();
  server.get('/redoc', (_request, reply) => reply.type('text/html; charset=utf-8').send(REDOC_PAGE));
  server.get('/redoc/redoc.standalone.js', (_request, reply) =>
    reply.type('text/javascript; charset=utf-8').send(script),
  );
}

import { hash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import { DocumentBuilder, type OpenAPIObject, SwaggerModule } from '@nestjs/swagger';
import { type FixedContent, serveFixed, versionedUrl } from './fixed-content.js';
import { ICON } from './icon.js';
import { INTRODUCTION } from './introduction.js';
import { NAME, VERSION } from '../../kernel/version.js';

const HTML = 'text/html; charset=utf-8';
const SCRIPT = 'text/javascript; charset=utf-8';

/** ReDoc fetches its own logo from a host of its makers; a page that works without any other host draws none. */
const REDOC_LOGO = /https:\/\/cdn\.redoc\.ly\/[\w./-]+\.svg/g;
const NO_LOGO = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

/** The OpenAPI document of the application: every path with its base path, every answer with its schema. */
export function createOpenApiDocument(app: NestFastifyApplication, publicUrl = '/'): OpenAPIObject {
  const options = new DocumentBuilder()
    .setTitle(NAME)
    .setVersion(VERSION)
    .setDescription(INTRODUCTION)
    .setLicense('MIT', 'https://opensource.org/license/mit')
    .addServer(publicUrl, 'This server')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A key: `ord_sk_…`' }, 'bearer')
    .addBasicAuth(
      { type: 'http', scheme: 'basic', description: 'A key as the password, of any user: for browsers' },
      'basic',
    )
    .addTag('Products', 'The catalogue')
    .addTag('Stock', 'What changed the stock of a product, and corrections to it')
    .addTag('Orders', 'Buying, reading and cancelling')
    .addTag('Reservations', 'Stock that is held for a checkout')
    .addTag('Events', 'Everything that happens to orders, from the beginning and live')
    .addTag('Health', 'For load balancers, operators and monitoring')
    .addTag('Access', 'Who may do what')
    .addTag('Operations', 'What the system does, and what an operator can do')
    .build();
  const document = SwaggerModule.createDocument(app, options, { operationIdFactory: (_controller, method) => method });
  return { ...document, security: [] };
}

/** Serves `/openapi.json`, Swagger UI at `/docs` and ReDoc at `/redoc`, all from this host alone. */
export async function servePages(app: NestFastifyApplication, publicUrl: string | undefined): Promise<void> {
  const content = JSON.stringify(createOpenApiDocument(app, publicUrl));
  const document: FixedContent = {
    path: '/openapi.json',
    access: 'docs',
    type: 'application/json; charset=utf-8',
    content,
  };
  const server = app.getHttpAdapter().getInstance();
  for (const files of [[document, ICON], await swaggerPages(), await redocPages()]) {
    for (const each of files) serveFixed(server, each);
  }
}

async function swaggerPages(): Promise<FixedContent[]> {
  const file = async (url: string, type: string): Promise<FixedContent> => ({
    access: 'docs',
    path: `/docs/${path.basename(url)}`,
    type,
    content: await readFile(fileURLToPath(url)),
    isVersioned: true,
  });
  const style = await file(import.meta.resolve('swagger-ui-dist/swagger-ui.css'), 'text/css; charset=utf-8');
  const script = await file(import.meta.resolve('swagger-ui-dist/swagger-ui-bundle.js'), SCRIPT);
  const page = pageAt('/docs', (root) => ({
    head: `<link rel="stylesheet" href="${root}${versionedUrl(style)}">`,
    body: `<div id="swagger-ui"></div>
    <script src="${root}${versionedUrl(script)}"></script>
    <script>
      SwaggerUIBundle({ url: '${root}/openapi.json', dom_id: '#swagger-ui', deepLinking: true, tryItOutEnabled: true });
    </script>`,
  }));
  return [style, script, page];
}

async function redocPages(): Promise<FixedContent[]> {
  const packaged = await readFile(fileURLToPath(import.meta.resolve('redoc/bundles/redoc.standalone.js')), 'utf8');
  const script: FixedContent = {
    access: 'docs',
    path: '/redoc/redoc.standalone.js',
    type: SCRIPT,
    content: packaged.replaceAll(REDOC_LOGO, NO_LOGO),
    isVersioned: true,
  };
  const page = pageAt('/redoc', (root) => ({
    // A link to the makers of ReDoc, whose logo is on their host.
    head: '<style>a[href*="redocly.com"] { display: none }</style>',
    body: `<div id="redoc"></div>
    <script type="module">
      import { init } from '${root}${versionedUrl(script)}';
      init('${root}/openapi.json', { disableTelemetry: true }, document.getElementById('redoc'));
    </script>`,
  }));
  return [script, page];
}

interface PageParts {
  readonly head: string;
  readonly body: string;
}

/**
 * A page whose addresses are relative to its own, so that it works below any path of a proxy. `make` gets the way to the root, which is
 * another one when the page is asked for with a slash at its end.
 */
function pageAt(path: string, make: (root: string) => PageParts): FixedContent {
  const variant = (root: string) => {
    const content = pageOf({ ...make(root), icon: `${root}${ICON.path}` });
    return { path, access: 'docs' as const, type: HTML, content, contentSecurityPolicy: policyOf(content) };
  };
  return { ...variant('.'), atSlash: variant('..') };
}

/** Scripts of this host, and the page's own; the libraries put styles into the page, and ReDoc searches in a worker that it makes. */
function policyOf(page: string): string {
  const scripts = [...page.matchAll(/<script[^>]*>([^<]+)<\/script>/g)].map(
    ([, script = '']) => `'sha256-${hash('sha256', script, 'base64')}'`,
  );
  return [
    "default-src 'none'",
    ["script-src 'self'", ...scripts].join(' '),
    "style-src 'self' 'unsafe-inline'",
    "img-src 'self' data:",
    'font-src data:',
    "connect-src 'self'",
    'worker-src blob:',
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function pageOf({ head, body, icon }: PageParts & { readonly icon: string }): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>${NAME} API</title>
    <link rel="icon" type="${ICON.type}" href="${icon}">
    ${head}
    <style>body { margin: 0 }</style>
  </head>
  <body>
    ${body}
  </body>
</html>
`;
}

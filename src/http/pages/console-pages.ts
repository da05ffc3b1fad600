import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { FastifyInstance, FastifyRequest, preHandlerAsyncHookHandler } from 'fastify';
import { Log } from '../../runtime/log.js';
import { type FixedContent, type Responder, responderOf, serveFixed } from './fixed-content.js';
import { ICON } from './icon.js';

/** What `npm run build` has made of `apps/console`. */
const BUILT = fileURLToPath(new URL('dist/', import.meta.resolve('@order-system/console/package.json')));
const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
};
/** Everything is of this host and in a file of its own; the plots set their sizes by the style of their elements. */
const POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "img-src 'self'",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');
const MEDIA_RANGE = /^\s*([^;\s]+)/;

/**
 * Serves the console at `/console`, and at `/` to browsers; everybody else gets there what the route answers. Call it before the route of
 * `/` is made. It serves nothing where the console was not built, as for `npm run start:dev` in a new checkout.
 *
 * @param publicPath below which a proxy shows the server; empty where that is not known.
 */
export async function serveConsole(server: FastifyInstance, publicPath: string): Promise<void> {
  if (!existsSync(BUILT)) {
    new Log('Console').warn('The console is not built, and not served: npm run build makes it');
    return;
  }
  const html = await readFile(path.join(BUILT, 'index.html'), 'utf8');
  // Without a PUBLIC_URL, addresses are relative to the page, so that it works below any path that ends with a slash.
  const pageBelow = (place: string, way: string, root = publicPath === '' ? way : publicPath): FixedContent => ({
    path: place,
    access: 'caller',
    type: 'text/html; charset=utf-8',
    content: html
      .replaceAll('./assets/', `${root}/console/assets/`)
      .replace('</head>', `<link rel="icon" type="${ICON.type}" href="${root}${ICON.path}">\n</head>`),
    contentSecurityPolicy: POLICY,
  });
  serveFixed(server, { ...pageBelow('/console', '.'), atSlash: pageBelow('/console', '..') });
  for (const name of await readdir(path.join(BUILT, 'assets'))) {
    const content = await readFile(path.join(BUILT, 'assets', name));
    serveFixed(server, {
      path: `/console/assets/${name}`,
      access: 'caller',
      type: TYPES[path.extname(name)] ?? 'application/octet-stream',
      content,
      isVersioned: 'by name',
    });
  }
  serveBrowsers(server, responderOf({ ...pageBelow('/', '.'), vary: 'Accept, Accept-Encoding' }));
}

/** At `/`, which has a route for all others. */
function serveBrowsers(server: FastifyInstance, respond: Responder): void {
  server.addHook('onRoute', (route) => {
    if (route.url !== '/' || ![route.method].flat().some((method) => method === 'GET' || method === 'HEAD')) return;
    const answer: preHandlerAsyncHookHandler = async (request, reply) => {
      reply.header('Vary', 'Accept');
      return wantsPage(request) ? respond(request, reply) : undefined;
    };
    route.preHandler = [answer, ...[route.preHandler ?? []].flat()];
  });
}

/** Whether a client is a browser that shows a page: it names HTML, and not JSON. */
function wantsPage({ headers: { accept = '' } }: FastifyRequest): boolean {
  const ranges = accept.split(',').map((range) => MEDIA_RANGE.exec(range)?.[1]?.toLowerCase());
  return ranges.includes('text/html') && !ranges.includes('application/json');
}

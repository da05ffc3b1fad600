import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { registry } from './metrics.js';
import { ObservedGauges } from './observed-gauges.js';

/** Enough for Prometheus, a health check and a person. */
const MAX_CONNECTIONS = 50;
const REQUEST_TIMEOUT_MS = 5_000;

/** How a role answers its health check. */
export interface Readiness {
  readonly status: string;
}

/**
 * Serves `/metrics`, `/health` and `/health/ready` (503 while `not_ready`) until the process ends, and gives the URL. It asks for no
 * credentials: the port belongs on a private network.
 *
 * @throws an error with the code `EADDRINUSE` when the port is taken.
 */
export async function serveMetrics(
  { host, port }: { readonly host: string; readonly port: number },
  check: () => Promise<Readiness>,
): Promise<string> {
  const server = createServer((request, response) => {
    answer(request, response, check).catch(() => response.destroy());
  });
  server.maxConnections = MAX_CONNECTIONS;
  server.requestTimeout = REQUEST_TIMEOUT_MS;
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, resolve);
  });
  return urlOf(server);
}

async function answer(
  { method, url = '/' }: IncomingMessage,
  response: ServerResponse,
  check: () => Promise<Readiness>,
): Promise<void> {
  response.setHeader('X-Content-Type-Options', 'nosniff');
  response.setHeader('Cache-Control', 'no-store');
  if (method !== 'GET' && method !== 'HEAD') {
    response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    return;
  }
  const [path] = url.split('?', 1);
  if (path === '/metrics') {
    await ObservedGauges.readAll();
    response.setHeader('Content-Type', registry.contentType).end(await registry.metrics());
  } else if (path === '/health') sendJson(response, 200, { status: 'healthy' });
  else if (path === '/health/ready') {
    const readiness = await check();
    sendJson(response, readiness.status === 'not_ready' ? 503 : 200, readiness);
  } else sendJson(response, 404, { paths: ['/metrics', '/health', '/health/ready'] });
}

function sendJson(response: ServerResponse, status: number, body: object): void {
  response.writeHead(status, { 'Content-Type': 'application/json' }).end(JSON.stringify(body));
}

function urlOf(server: Server): string {
  const address = server.address();
  if (typeof address !== 'object' || address === null) throw new Error('The metrics are served on no port');
  return `http://${address.address.includes(':') ? `[${address.address}]` : address.address}:${address.port}`;
}

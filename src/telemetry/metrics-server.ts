import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { registry } from './metrics.js';
import { ObservedGauges } from './observed-gauges.js';

/** Enough for Prometheus, a health check and a person. */
const MAX_CONNECTIONS = 50;
const REQUEST_TIMEOUT_MS = 5_000;

/** Where the metrics are served, and what of. */
export interface MetricsServerOptions {
  readonly host: string;
  readonly port: number;
  /** Whether a request may be answered, by its `Host`. */
  readonly isKnownHost: (host: string | undefined) => boolean;
  readonly check: () => Promise<Readiness>;
}

/** How a role answers its health check. */
export interface Readiness {
  readonly status: string;
}

/**
 * Serves `/metrics`, `/health` and `/health/ready` (503 while `not_ready`) until the process ends, and gives the URL. It asks for no
 * credentials: the port belongs on a private network.
 * A foreign `Host` is a 421, so that no page of a browser on this machine reads them by DNS rebinding.
 *
 * @throws an error with the code `EADDRINUSE` when the port is taken.
 */
export async function serveMetrics({ host, port, isKnownHost, check }: MetricsServerOptions): Promise<string> {
  const server = createServer((request, response) => {
    if (isKnownHost(request.headers.host)) answer(request, response, check).catch(() => response.destroy());
    else sendJson(response, 421, { code: 'UNKNOWN_HOST' });
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

import type { ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Log } from '../../runtime/log.js';
import type { FastifyInstance, FastifyServerOptions } from 'fastify';
import type { AccessPolicy } from '../../config/access.js';
import { LIMITS } from '../../config/limits.js';
import { Answer } from '../server/answer.js';
import type { RequestStep } from '../server/request-steps.js';
import { shareConnections } from './shared-connections.js';
import { toProblem, toProblemDetails } from '../problems/problem-details.js';

const STATUS_OF_CLIENT_ERROR: Record<string, number | undefined> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** How often connections are looked at: each limit of time may be passed by as much. */
const LOOK_INTERVAL_MS = 1_000;

/** What the connections of a server are configured by. */
export interface ConnectionPolicy {
  readonly keepAliveTimeoutMs: number;
  readonly access: Pick<AccessPolicy, 'trustedProxies'>;
}

/** What every server of HTTP is created with: a request that does not arrive in time is answered 408 and cut off. */
export function connectionOptions({ keepAliveTimeoutMs, access: { trustedProxies } }: ConnectionPolicy) {
  const { requestMs } = LIMITS;
  return {
    trustProxy: trustedProxies.length > 0 && [...trustedProxies],
    requestTimeout: requestMs,
    keepAliveTimeout: keepAliveTimeoutMs,
    forceCloseConnections: 'idle',
    http: { ServerResponse: Answer, headersTimeout: requestMs, connectionsCheckingInterval: LOOK_INTERVAL_MS },
  } satisfies FastifyServerOptions & { http: object };
}

/**
 * Keeps the connections of a server within bounds: their number, how long a client may read nothing of its answer, and how much all
 * clients together may leave unread. When the server stops, those on which nothing was ever asked are closed as well: browsers open
 * some in advance. The step takes note of those on which something is.
 */
export function boundConnections(server: FastifyInstance, maxConnections: number): RequestStep {
  const unused = new Set<Socket>();
  const watched = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    watched.add(socket);
    watchedOf.set(socket, watched);
    socket.once('close', () => {
      unused.delete(socket);
      watched.delete(socket);
      // Not every release of Node.js 24 emits `close` on answers whose turn has not come.
      for (const response of queued.get(socket) ?? []) if (response.socket === null) response.emit('close');
    });
  });
  const looking = setInterval(() => {
    cutOffIdleReaders(watched);
    boundUnread(watched);
  }, LOOK_INTERVAL_MS).unref();
  server.addHook('preClose', (done) => {
    clearInterval(looking);
    for (const socket of unused) socket.destroy();
    done();
  });
  shareConnections(server.server, maxConnections, unused);
  return (request, { raw: response }) => {
    const { socket } = request.raw;
    unused.delete(socket);
    if (response.socket === null) {
      queued.set(socket, (queued.get(socket) ?? new Set()).add(response));
      response.once('close', () => queued.get(socket)?.delete(response));
      watched.add(socket);
    }
    return true;
  };
}

/** Answers to requests that were sent before the one ahead of them was answered: they have no socket until it is. */
const queued = new WeakMap<Socket, Set<ServerResponse>>();

/** Connections whose client follows a stream: what waits for it is bounded, and it may take its time. */
const streaming = new WeakSet<Socket>();

/** Lets a client that follows a stream read as slowly as it wants, once it has read what was asked for before. */
export function allowSlowReader(stream: ServerResponse): void {
  if (stream.socket === null) stream.once('socket', (socket: Socket) => streaming.add(socket));
  else streaming.add(stream.socket);
}

/** The connections of the same server that are looked at: all but those of streams whose clients have read everything. */
const watchedOf = new WeakMap<Socket, Set<Socket>>();

/** Call it after each part of a stream: its client may leave it unread. */
export function expectReader({ socket }: ServerResponse): void {
  if (socket !== null) watchedOf.get(socket)?.add(socket);
}

/** What clients had read when they were last seen to leave something unread. */
const seen = new WeakMap<Socket, { taken: number; since: number }>();

/** Destroys connections whose client reads nothing of its answer any more: what it does not read is kept in memory. */
function cutOffIdleReaders(sockets: Set<Socket>): void {
  const now = performance.now();
  for (const socket of sockets) {
    if (streaming.has(socket)) {
      if (socket.writableLength === 0 && !queued.get(socket)?.size) sockets.delete(socket);
      continue;
    }
    // What was seen before never fits again: by now the client has read more.
    if (socket.writableLength === 0) continue;
    // What the system has taken, and so the client has made room for.
    const taken = socket.bytesWritten - socket.writableLength;
    const last = seen.get(socket);
    if (last?.taken !== taken) seen.set(socket, { taken, since: now });
    else if (now - last.since > LIMITS.readerMs) socket.destroy();
  }
}

/** Destroys the connections that leave most unread, until all together leave no more than memory is there for. */
function boundUnread(sockets: ReadonlySet<Socket>): void {
  let total = 0;
  for (const socket of sockets) total += unreadOf(socket);
  if (total <= LIMITS.unreadBytes) return;
  const unread = [...sockets].map((socket) => ({ socket, bytes: unreadOf(socket) }));
  let count = 0;
  for (const { socket, bytes } of unread.toSorted((a, b) => b.bytes - a.bytes)) {
    if (total <= LIMITS.unreadBytes) break;
    socket.destroy();
    total -= bytes;
    count++;
  }
  new Log('Connections').warn('Connections are closed: their clients leave too much unread', { count });
}

function unreadOf(socket: Socket): number {
  let bytes = socket.writableLength;
  for (const response of queued.get(socket) ?? []) {
    if (response.socket === null) bytes += response.writableLength;
    else queued.get(socket)?.delete(response);
  }
  return bytes;
}

/** Answers input that is not HTTP, or whose headers are too large, with problem details. There is no request to name. */
export function answerClientError(error: Error & { code?: string }, socket: Socket): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const status = STATUS_OF_CLIENT_ERROR[error.code ?? ''] ?? 400;
  const details = toProblemDetails(toProblem({ statusCode: status }), '', '');
  const body = JSON.stringify(details);
  const head = [
    `HTTP/1.1 ${status} ${details.title}`,
    'Content-Type: application/problem+json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
  socket.destroySoon();
}

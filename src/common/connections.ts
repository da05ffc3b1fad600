import type { Socket } from 'node:net';
import type { FastifyInstance } from 'fastify';
import { toProblem, toProblemDetails } from './problem-details.js';

const STATUS_OF_CLIENT_ERROR: Record<string, number | undefined> = {
  ERR_HTTP_REQUEST_TIMEOUT: 408,
  HPE_HEADER_OVERFLOW: 431,
};

/** Closes, when the server stops, connections on which nothing was ever asked: browsers open some in advance. */
export function closeUnusedConnections(server: FastifyInstance): void {
  const unused = new Set<Socket>();
  server.server.on('connection', (socket: Socket) => {
    unused.add(socket);
    socket.once('close', () => unused.delete(socket));
  });
  server.addHook('onRequest', (request, _reply, done) => {
    unused.delete(request.raw.socket);
    done();
  });
  server.addHook('preClose', (done) => {
    for (const socket of unused) socket.destroy();
    done();
  });
}

/** Answers what is not HTTP, or too much of it, in the same form as everything else. There is no request to name. */
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

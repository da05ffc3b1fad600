import type { FastifyInstance } from 'fastify';

/**
 * Headers of every answer: a browser takes it for nothing but what it says it is, shows it in no foreign page, and runs nothing of it.
 * `Cache-Control` keeps what changes by itself out of every cache. A page, or a product, says more precisely what it allows.
 */
const HEADERS = {
  'Cache-Control': 'no-store',
  'Content-Security-Policy': "default-src 'none'; frame-ancestors 'none'",
  'Referrer-Policy': 'no-referrer',
  'X-Content-Type-Options': 'nosniff',
};

/** @param contentSecurityPolicy of a server whose answers are pages. */
export function sendSecurityHeaders(server: FastifyInstance, contentSecurityPolicy?: string): void {
  const headers =
    contentSecurityPolicy === undefined ? HEADERS : { ...HEADERS, 'Content-Security-Policy': contentSecurityPolicy };
  server.addHook('onRequest', (_request, reply, done) => {
    reply.headers(headers);
    done();
  });
}

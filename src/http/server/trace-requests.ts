import { type Span, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyInstance } from 'fastify';
import { parseTraceparent, startSpan } from '../../telemetry/tracing.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the request, while requests are traced. */
    span?: Span;
  }
}

/** Makes a span of each request, as a part of the trace that its `traceparent` names. Call it before the routes are made. */
export function traceRequests(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    const { method, headers, id } = request;
    const route = request.routeOptions.url ?? '';
    const span = startSpan(route === '' ? method : `${method} ${route}`, {
      kind: SpanKind.SERVER,
      parent: parseTraceparent(headers.traceparent),
      attributes: { 'http.request.method': method, 'http.route': route, 'order_system.request_id': id },
    });
    request.span = span;
    if (span.isRecording()) {
      reply.raw.once('close', () => {
        span.setAttribute('http.response.status_code', reply.statusCode);
        if (reply.problemCode !== undefined) span.setAttribute('error.type', reply.problemCode);
        if (reply.statusCode >= 500 || !reply.raw.writableFinished) span.setStatus({ code: SpanStatusCode.ERROR });
        span.end();
      });
    }
    done();
  });
}

import { type Span, type SpanContext, SpanKind, SpanStatusCode } from '@opentelemetry/api';
import type { FastifyInstance, FastifyReply } from 'fastify';
import { isToBeRecorded, parseTraceparent, startSpan } from '../../telemetry/tracing.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** Of the request, when it is traced. */
    span?: Span;
  }
}

/** Makes a span of each request, as a part of the trace that its `traceparent` names. Call it before the routes are made. */
export function traceRequests(server: FastifyInstance): void {
  server.addHook('onRequest', (request, reply, done) => {
    const parent = parseTraceparent(request.headers.traceparent);
    if (isToBeRecorded(parent)) request.span = traceRequest(reply, parent);
    done();
  });
}

function traceRequest(reply: FastifyReply, parent: SpanContext | undefined): Span {
  const { method, id, routeOptions } = reply.request;
  const route = routeOptions.url ?? '';
  const span = startSpan(route === '' ? method : `${method} ${route}`, {
    kind: SpanKind.SERVER,
    parent,
    attributes: { 'http.request.method': method, 'http.route': route, 'order_system.request_id': id },
  });
  reply.raw.once('close', () => {
    span.setAttribute('http.response.status_code', reply.statusCode);
    if (reply.problemCode !== undefined) span.setAttribute('error.type', reply.problemCode);
    if (reply.statusCode >= 500 || !reply.raw.writableFinished) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  });
  return span;
}

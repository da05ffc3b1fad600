import type { FastifyInstance, FastifyReply, onSendHookHandler } from 'fastify';
import { DURATION_BUCKETS, seriesHistogram } from '../../telemetry/metrics.js';
import type { HistogramSeries } from '../../telemetry/series-histogram.js';
import type { RequestStep } from './request-steps.js';

declare module 'fastify' {
  interface FastifyRequest {
    /** When its head was there, as `performance.now` tells it. */
    receivedAt: number;
  }
}

/** As OpenTelemetry has it: the methods that HTTP knows, and one word for all others. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', '_OTHER'];
/** Routes times the statuses that they answer with; there are fewer than half as many. */
const MAX_COMBINATIONS = 500;

const duration = seriesHistogram({
  name: 'http_server_request_duration_seconds',
  unit: 'seconds',
  help: 'From the head of a request until its answer is made, by route; the route is empty for a path that there is not.',
  labels: { http_request_method: METHODS, http_route: ['of the API'], http_response_status_code: ['of the answer'] },
  combinations: MAX_COMBINATIONS,
  buckets: DURATION_BUCKETS,
});

/**
 * Measures every request of a server that is answered, but for streams: they last as long as their clients want, and are sent past the
 * hooks of Fastify. Call it before the routes are made: each gets a hook that knows its path, which Fastify would put together for each
 * request.
 */
export function measureRequests(server: FastifyInstance): RequestStep {
  server.decorateRequest('receivedAt', 0);
  const ofNoRoute = measureRoute('');
  server.addHook('onRoute', (route) => {
    const measure = measureRoute(route.url);
    // eslint-disable-next-line no-restricted-syntax -- the hook's own parameters
    const measureAnswer: onSendHookHandler = (_request, reply, payload, done) => {
      measure(reply);
      done(null, payload);
    };
    route.onSend = [...[route.onSend ?? []].flat(), measureAnswer];
  });
  return (request, reply) => {
    request.receivedAt = performance.now();
    // What has no route has no hook of one.
    if (request.is404) reply.raw.once('close', () => ofNoRoute(reply));
    return true;
  };
}

/** The series of a route are kept by method and status: putting labels together each time would cost more than measuring. */
function measureRoute(route: string): (reply: FastifyReply) => void {
  const ofMethods = new Map<string, Map<number, HistogramSeries | undefined>>();
  return ({ request: { method, receivedAt }, statusCode }) => {
    let ofMethod = ofMethods.get(method);
    if (ofMethod === undefined) {
      ofMethod = new Map<number, HistogramSeries | undefined>();
      ofMethods.set(method, ofMethod);
    }
    let series = ofMethod.get(statusCode);
    if (series === undefined) {
      series = duration.of({
        http_request_method: METHODS.includes(method) ? method : '_OTHER',
        http_route: route,
        http_response_status_code: String(statusCode),
      });
      ofMethod.set(statusCode, series);
    }
    series?.observe((performance.now() - receivedAt) / 1_000);
  };
}

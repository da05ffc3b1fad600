import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { EVENT_STREAM } from './event-stream.js';
import { DURATION_BUCKETS, histogram } from '../../telemetry/metrics.js';

/** As OpenTelemetry has it: the methods that HTTP knows, and one word for all others. */
const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'OPTIONS', 'PATCH', '_OTHER'];
/** A request whose connection was closed before it had its answer, as nginx counts it. */
const CLOSED = 499;
/** Routes times the statuses that they answer with; there are fewer than half as many. */
const MAX_COMBINATIONS = 500;

const duration = histogram({
  name: 'http_server_request_duration_seconds',
  unit: 'seconds',
  help: 'From the head of a request to the end of its answer, by route; the route is empty for a path that there is not.',
  labels: { http_request_method: METHODS, http_route: ['of the API'], http_response_status_code: ['of the answer'] },
  combinations: MAX_COMBINATIONS,
  buckets: DURATION_BUCKETS,
});

type Series = ReturnType<typeof duration.labels>;

/** Measures every request of a server, also one whose client does not wait for the answer. */
export function measureRequests(server: FastifyInstance): void {
  const known = new Map<string, Series>();
  server.addHook('onRequest', (request, reply, done) => {
    const begin = performance.now();
    reply.raw.once('close', () => {
      // A stream lasts as long as its client wants.
      if (reply.getHeader('Content-Type') === EVENT_STREAM) return;
      seriesOf(known, request, reply)?.observe((performance.now() - begin) / 1_000);
    });
    done();
  });
}

/** The series of a request is looked up by one short text: putting labels together each time would cost more than measuring. */
function seriesOf(known: Map<string, Series>, request: FastifyRequest, reply: FastifyReply): Series | undefined {
  const status = reply.raw.writableFinished ? reply.statusCode : CLOSED;
  const route = request.is404 ? '' : (request.routeOptions.url ?? '');
  const key = `${request.method} ${status} ${route}`;
  const found = known.get(key);
  if (found !== undefined || known.size >= MAX_COMBINATIONS) return found;
  const method = METHODS.includes(request.method) ? request.method : '_OTHER';
  const series = duration.labels(method, route, String(status));
  known.set(key, series);
  return series;
}

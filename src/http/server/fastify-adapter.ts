import { randomUUID } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  fastify,
  type FastifyInstance,
  type FastifyReply,
  type preHandlerHookHandler,
  type preValidationHookHandler,
  type RouteOptions,
} from 'fastify';
import type { AccessPolicy } from '../../config/access.js';
import { LIMITS } from '../../config/limits.js';
import { Door } from '../access/door.js';
import { forgetNames } from '../bodies/body-guard.js';
import { addKnownHeader, knownHeader } from './answer.js';
import { type BrowserPolicy, browserGuard, SAFE_METHODS } from './browser-guard.js';
import {
  answerClientError,
  boundConnections,
  connectionOptions,
  type ConnectionPolicy,
} from '../connections/connections.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './trace-requests.js';
import { answerUnroutable, inOneHook, type LastStep, type RequestStep } from './request-steps.js';
import { securityHeaders } from './security-headers.js';
import { RequestQueue } from '../pacing/request-queue.js';
import { RouteCatalogue } from './route-catalogue.js';
import { joinChunks } from '../bodies/join-chunks.js';
import { acceptOnlyJson, failureOf, isObject } from '../bodies/json-bodies.js';
import { guardQuery } from '../bodies/utf8.js';
import { withNewRequest } from '../../runtime/request-context.js';

/** Node.js refuses longer request lines by itself. */
const MAX_PATH_PARAMETER_LENGTH = 16_384;
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;
/** What a client may name its request: printable and short, so that it is safe in a log line. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;
const ABSOLUTE_FORM = /^https?:\/\/[^/?#]*/i;

/** What the server of the API is configured by. */
export interface ServerOptions extends BrowserPolicy, ConnectionPolicy {
  readonly access: AccessPolicy;
  readonly maxConnections: number;
  /** Set when requests are traced. */
  readonly tracing?: unknown;
}

/** Fastify as the contract wants HTTP to be, before any route: slashes, bodies, request ids, methods, and who may come in. */
export function createFastifyAdapter(options: ServerOptions): FastifyAdapter {
  const headers = [securityHeaders(), tellRequestId];
  const guard = browserGuard(options);
  const allowAnswer: RequestStep = (_request, reply) => {
    allowOrigin(reply, options.corsOrigins);
    return true;
  };
  const server: FastifyInstance = fastify({
    ...connectionOptions(options),
    bodyLimit: LIMITS.bodyBytes,
    clientErrorHandler: answerClientError,
    // A request that arrives while the server closes is still answered, and its connection closed after that.
    return503OnClosing: false,
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: answerUnroutable([...headers, guard, allowAnswer]),
    rewriteUrl: ({ url = '/' }) => toOriginForm(url),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER_LENGTH },
  });
  acceptOnlyJson(server);
  const measure = measureRequests(server);
  if (options.tracing !== undefined) traceRequests(server);
  const bound = boundConnections(server, options.maxConnections);
  const door = makeDoor(options);
  const routes = new RouteCatalogue();
  server.addHook('onRequest', inOneHook([measure, bound, ...headers], waitForTurn(server, options)));
  server.addHook(
    'onRequest',
    inOneHook([guard, nameType], (request, reply, done) => {
      if (!request.is404) done();
      else
        door.guardUnknown(request, reply, (error) => done(error ?? refuseMethod(routes, reply, options.corsOrigins)));
    }),
  );
  door.guard(server);
  server.addHook('onRoute', (route) => completeRoute(route, routes));
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the adapter's type wants its own version constraint
  return new FastifyAdapter(server as never);
}

function waitForTurn(server: FastifyInstance, { corsOrigins }: ServerOptions): LastStep {
  const queue = new RequestQueue();
  server.decorateRequest('waitedMs', 0);
  return (request, reply, done) =>
    queue.enter(request, (error) => {
      if (error !== undefined) allowOrigin(reply, corsOrigins);
      done(error);
    });
}

/** What every route has beside its handler. */
function completeRoute(route: RouteOptions, routes: RouteCatalogue): void {
  // The preflight of CORS is registered for all paths, and is no sign of one.
  if (route.url !== '*') routes.add(route.url, route.method);
  route.preValidation = [guardNames, ...[route.preValidation ?? []].flat()];
  // A read is one statement or has a limit of its own.
  if ([route.method].flat().every((method) => SAFE_METHODS.has(method))) return;
  route.preParsing = [joinChunks, ...[route.preParsing ?? []].flat()];
  route.preHandler = [limitTime, ...[route.preHandler ?? []].flat()];
}

const guardNames: preValidationHookHandler = ({ query, url }, _reply, done) => {
  if (!url.includes('?') || !isObject(query)) {
    done();
    return;
  }
  forgetNames(query);
  done(failureOf(() => guardQuery(url)) ?? undefined);
};

function makeDoor({ access, host, corsOrigins }: ServerOptions): Door {
  const cors = corsOrigins.length > 0 ? { allowOrigin: (reply: FastifyReply) => allowOrigin(reply, corsOrigins) } : {};
  return new Door({ ...access, host, ...cors });
}

const tellRequestId: RequestStep = ({ id }, reply) => {
  addKnownHeader(reply, knownHeader('x-request-id', id));
  return true;
};

/** Some clients name a type for nothing, or one that is none. */
const nameType: RequestStep = ({ raw: { headers } }) => {
  if (headers['content-length'] === '0') delete headers['content-type'];
  else if (headers['content-type'] !== undefined && !MEDIA_TYPE.test(headers['content-type'])) {
    headers['content-type'] = 'application/octet-stream';
  }
  return true;
};

/** From when all of it is there; what it has waited to be begun belongs to its time. */
const limitTime: preHandlerHookHandler = ({ id, span, caller, waitedMs }, _reply, done) =>
  withNewRequest(
    {
      requestId: id,
      actor: caller.actor ?? undefined,
      trace: span?.spanContext(),
      deadline: performance.now() + LIMITS.answerMs - waitedMs,
    },
    done,
  );

function requestIdOf(header: string | string[] | undefined): string {
  const isUsable = typeof header === 'string' && REQUEST_ID.test(header) && !header.includes('ord_sk_');
  return isUsable ? header : randomUUID();
}

/** An unknown path is left to the not-found handler; a known one that does not take the method is a 405. */
function refuseMethod(routes: RouteCatalogue, reply: FastifyReply, corsOrigins: readonly string[]): Error | undefined {
  const methods = routes.methodsOf(reply.request.url);
  if (methods.length === 0) return undefined;
  allowOrigin(reply, corsOrigins);
  reply.header('Allow', methods.join(', '));
  return Object.assign(new Error('Method not allowed'), { statusCode: 405 });
}

/** Lets a page of an allowed origin read an answer that is made before CORS has its turn. */
function allowOrigin(reply: FastifyReply, corsOrigins: readonly string[]): void {
  const { origin } = reply.request.headers;
  if (corsOrigins.includes('*')) reply.header('Access-Control-Allow-Origin', '*');
  else if (origin !== undefined && corsOrigins.includes(origin)) {
    reply.headers({ 'Access-Control-Allow-Origin': origin, Vary: 'Origin' });
  }
}

/** A target in absolute form, which clients send to proxies (RFC 9112, section 3.2.2), names the same path. */
function toOriginForm(url: string): string {
  if (url.startsWith('/') || !ABSOLUTE_FORM.test(url)) return url;
  const path = url.replace(ABSOLUTE_FORM, '');
  return path.startsWith('/') ? path : `/${path}`;
}

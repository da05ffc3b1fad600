import { randomUUID } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import {
  fastify,
  type FastifyError,
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type preHandlerHookHandler,
} from 'fastify';
import type { AccessPolicy } from '../../config/access.js';
import { LIMITS } from '../../config/limits.js';
import { Door } from '../access/door.js';
import { forgetNames, guardBody } from './body-guard.js';
import { type BrowserPolicy, guardBrowsers, SAFE_METHODS } from './browser-guard.js';
import { answerClientError, boundConnections, connectionOptions, type ConnectionPolicy } from './connections.js';
import { measureRequests } from './request-metrics.js';
import { traceRequests } from './trace-requests.js';
import { sendSecurityHeaders } from './security-headers.js';
import { RouteCatalogue } from './route-catalogue.js';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';
import { decodeBody, guardQuery } from './utf8.js';
import { withRequest, withTimeBudget } from '../../runtime/request-context.js';
import { ValidationError } from '../../kernel/validation-error.js';

/** Node.js refuses longer request lines by itself. */
const MAX_PATH_PARAMETER_LENGTH = 16_384;
/** `application/json` and everything that is JSON by its suffix, e.g. `application/merge-patch+json`. */
const JSON_TYPE = /^application\/([\w.+-]+\+)?json(;|$)/i;
const MEDIA_TYPE = /^[\w!#$%&'*+.^`|~-]+\/[\w!#$%&'*+.^`|~-]+\s*(;|$)/;
/** Of a type that declares UTF-8, or declares nothing. */
const UTF8_TYPE = /^(?!.*;\s*charset\s*=)|;\s*charset\s*=\s*"?utf-?8"?\s*(;|$)/i;
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
  const server: FastifyInstance = fastify({
    ...connectionOptions(options),
    bodyLimit: LIMITS.bodyBytes,
    clientErrorHandler: answerClientError,
    // A request that arrives while the server closes is still answered, and its connection closed after that.
    return503OnClosing: false,
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: answerUnroutable(options.corsOrigins),
    rewriteUrl: ({ url = '/' }) => toOriginForm(url),
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER_LENGTH },
  });
  acceptOnlyJson(server);
  measureRequests(server);
  if (options.tracing !== undefined) traceRequests(server);
  boundConnections(server, options.maxConnections);
  sendSecurityHeaders(server);
  guardBrowsers(server, options);
  makeDoor(server, options);
  const routes = new RouteCatalogue();
  server.addHook('onRoute', (route) => {
    // The preflight of CORS is registered for all paths, and is no sign of one.
    if (route.url !== '*') routes.add(route.url, route.method);
    // A read is one statement or has a limit of its own.
    if (![route.method].flat().every((method) => SAFE_METHODS.has(method))) {
      route.preHandler = [limitTime, ...[route.preHandler ?? []].flat()];
    }
  });
  server.addHook('onRequest', (request, reply, done) => {
    // Some clients name a type for nothing, or one that is none.
    const { headers } = request.raw;
    if (headers['content-length'] === '0') delete headers['content-type'];
    else if (headers['content-type'] !== undefined && !MEDIA_TYPE.test(headers['content-type'])) {
      headers['content-type'] = 'application/octet-stream';
    }
    done(request.is404 ? refuseMethod(routes, reply, options.corsOrigins) : undefined);
  });
  server.addHook('preValidation', ({ query, is404, url }, _reply, done) => {
    const isEmpty = is404 || !isObject(query) || Object.keys(query).length === 0;
    if (!isEmpty) forgetNames(query);
    done(isEmpty ? undefined : (failureOf(() => guardQuery(url)) ?? undefined));
  });
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the adapter's type wants its own version constraint
  return new FastifyAdapter(server as never);
}

function makeDoor(server: FastifyInstance, { access, host, corsOrigins }: ServerOptions): void {
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done();
  });
  const cors = corsOrigins.length > 0 ? { allowOrigin: (reply: FastifyReply) => allowOrigin(reply, corsOrigins) } : {};
  new Door({ ...access, host, ...cors }).guard(server);
}

const limitTime: preHandlerHookHandler = ({ id, span, caller }, _reply, done) =>
  withRequest({ requestId: id, actor: caller.actor ?? undefined, trace: span?.spanContext() }, () =>
    withTimeBudget(LIMITS.answerMs, done),
  );

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
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

/** A path that cannot be decoded never reaches a route, a hook or a filter. */
function answerUnroutable(corsOrigins: readonly string[]) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    allowOrigin(reply, corsOrigins);
    reply.header('X-Request-Id', request.id);
    sendProblem(reply, toProblem(error), error);
  };
}

/** A target in absolute form, which clients send to proxies (RFC 9112, section 3.2.2), names the same path. */
function toOriginForm(url: string): string {
  if (url.startsWith('/') || !ABSOLUTE_FORM.test(url)) return url;
  const path = url.replace(ABSOLUTE_FORM, '');
  return path.startsWith('/') ? path : `/${path}`;
}

function acceptOnlyJson(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
  // A body of length 0 is no body, whatever its type is, and also when it comes in chunks.
  server.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, bytes: Buffer, done) => {
    done(bytes.length === 0 ? null : unsupported(), undefined);
  });
  server.addContentTypeParser(JSON_TYPE, { parseAs: 'buffer' }, (request, bytes: Buffer, done) => {
    if (bytes.length === 0) {
      done(null, undefined);
      return;
    }
    let text: string;
    try {
      text = textOf(request, bytes);
    } catch (error) {
      done(toError(error));
      return;
    }
    void parseJson(request, text, (error, value: unknown) => {
      if (error !== null) done(invalidBody('body must be valid JSON'));
      else if (!isObject(value)) done(invalidBody('body must be a JSON object'));
      else
        done(
          failureOf(() => guardBody(value)),
          value,
        );
    });
  });
}

/** @throws an error of status 415 for another charset or an encoded body, ValidationError for bytes that are no UTF-8. */
function textOf({ headers }: FastifyRequest, bytes: Buffer): string {
  const encoding = headers['content-encoding'] ?? 'identity';
  if (encoding.toLowerCase() !== 'identity' || !UTF8_TYPE.test(headers['content-type'] ?? '')) {
    throw unsupported();
  }
  return decodeBody(bytes);
}

function unsupported(): Error {
  return Object.assign(new Error('Unsupported media type'), { statusCode: 415 });
}

function invalidBody(message: string): ValidationError {
  return new ValidationError([{ field: 'body', message }]);
}

function failureOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return toError(error);
  }
}

function toError(error: unknown): Error {
  return error instanceof Error ? error : new Error(String(error));
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

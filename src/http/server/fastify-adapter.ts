import { randomUUID } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { LIMITS } from '../../config/limits.js';
import { guardBody, guardNames } from './body-guard.js';
import { answerClientError, boundConnections, connectionOptions } from './connections.js';
import { RouteCatalogue } from './route-catalogue.js';
import { toProblem, toProblemDetails } from '../problems/problem-details.js';
import { decodeBody, guardQuery } from './utf8.js';
import { ValidationError } from '../../kernel/validation-error.js';

/** Node.js refuses longer request lines by itself. */
const MAX_PATH_PARAMETER_LENGTH = 16_384;
/** `application/json` and everything that is JSON by its suffix, e.g. `application/merge-patch+json`. */
const JSON_TYPE = /^application\/([\w.+-]+\+)?json(;|$)/i;
/** Of a type that declares UTF-8, or declares nothing. */
const UTF8_TYPE = /^(?!.*;\s*charset\s*=)|;\s*charset\s*=\s*"?utf-?8"?\s*(;|$)/i;
/** What a client may name its request: printable and short, so that it is safe in a log line. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;
const NO_NAMES: readonly string[] = [];

/** Fastify as the contract wants HTTP to be, before any route: slashes, bodies, request ids, methods. */
export function createFastifyAdapter(maxConnections: number): FastifyAdapter {
  const server: FastifyInstance = fastify({
    ...connectionOptions(),
    bodyLimit: LIMITS.bodyBytes,
    clientErrorHandler: answerClientError,
    // A request that arrives while the server closes is still answered, and its connection closed after that.
    return503OnClosing: false,
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: answerUnroutable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER_LENGTH },
  });
  acceptOnlyJson(server);
  boundConnections(server, maxConnections);
  const routes = new RouteCatalogue();
  server.addHook('onRoute', ({ method, url }) => {
    // The preflight of CORS is registered for all paths, and is no sign of one.
    if (url !== '*') routes.add(url, method);
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    // Some clients name a type for nothing.
    if (request.raw.headers['content-length'] === '0') delete request.raw.headers['content-type'];
    done(request.is404 ? refuseMethod(routes, request, reply) : undefined);
  });
  server.addHook('preValidation', ({ query, is404, url }, _reply, done) => {
    const names = !is404 && isObject(query) ? Object.keys(query) : NO_NAMES;
    const check = () => {
      guardQuery(url);
      guardNames(names);
    };
    done(names.length === 0 ? undefined : (failureOf(check) ?? undefined));
  });
  // eslint-disable-next-line @typescript-eslint/consistent-type-assertions -- the adapter's type wants its own version constraint
  return new FastifyAdapter(server as never);
}

function requestIdOf(header: string | string[] | undefined): string {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : randomUUID();
}

/** An unknown path is left to the not-found handler; a known one that does not take the method is a 405. */
function refuseMethod(routes: RouteCatalogue, { url }: FastifyRequest, reply: FastifyReply): Error | undefined {
  const methods = routes.methodsOf(url);
  if (methods.length === 0) return undefined;
  reply.header('Allow', methods.join(', '));
  return Object.assign(new Error('Method not allowed'), { statusCode: 405 });
}

/** A path that cannot be decoded never reaches a route or a filter. */
function answerUnroutable(error: FastifyError, request: FastifyRequest, reply: FastifyReply): void {
  const problem = toProblem(error);
  reply
    .code(problem.status)
    .header('X-Request-Id', request.id)
    .header('Content-Type', 'application/problem+json')
    .send(toProblemDetails(problem, request.url.split('?', 1)[0] ?? request.url, request.id));
}

function acceptOnlyJson(server: FastifyInstance): void {
  const parseJson = server.getDefaultJsonParser('error', 'error');
  server.removeAllContentTypeParsers();
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
    throw Object.assign(new Error('Unsupported media type'), { statusCode: 415 });
  }
  return decodeBody(bytes);
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

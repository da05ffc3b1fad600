import { randomUUID } from 'node:crypto';
import { FastifyAdapter } from '@nestjs/platform-fastify';
import { fastify, type FastifyError, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { guardBody, guardNames } from './body-guard.js';
import { answerClientError, closeUnusedConnections } from './connections.js';
import { RouteCatalogue } from './route-catalogue.js';
import { toProblem, toProblemDetails } from './problem-details.js';
import { ValidationError } from './validation-error.js';

const BODY_LIMIT_BYTES = 1_048_576;
/** Node.js refuses longer request lines by itself. */
const MAX_PATH_PARAMETER_LENGTH = 16_384;
/** `application/json` and everything that is JSON by its suffix, e.g. `application/merge-patch+json`. */
const JSON_TYPE = /^application\/([\w.+-]+\+)?json(;|$)/i;
/** What a client may name its request: printable and short, so that it is safe in a log line. */
const REQUEST_ID = /^[\w.:/+=@-]{1,128}$/;
const NO_NAMES: readonly string[] = [];

/** Fastify as the contract wants HTTP to be, before any route: slashes, bodies, request ids, methods. */
export function createFastifyAdapter(): FastifyAdapter {
  const server: FastifyInstance = fastify({
    bodyLimit: BODY_LIMIT_BYTES,
    clientErrorHandler: answerClientError,
    forceCloseConnections: 'idle',
    // What comes while the server closes is still answered, and its connection closed after that.
    return503OnClosing: false,
    genReqId: ({ headers }) => requestIdOf(headers['x-request-id']),
    frameworkErrors: answerUnroutable,
    routerOptions: { ignoreTrailingSlash: true, maxParamLength: MAX_PATH_PARAMETER_LENGTH },
  });
  acceptOnlyJson(server);
  closeUnusedConnections(server);
  const routes = new RouteCatalogue();
  server.addHook('onRoute', ({ method, url }) => {
    // The preflight of CORS is registered for all paths, and is no sign of one.
    if (url !== '*') routes.add(url, method);
  });
  server.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done(request.is404 ? refuseMethod(routes, request, reply) : undefined);
  });
  server.addHook('preValidation', ({ query, is404 }, _reply, done) => {
    const names = !is404 && isObject(query) ? Object.keys(query) : NO_NAMES;
    done(names.length === 0 ? undefined : (failureOf(() => guardNames(names)) ?? undefined));
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
  server.addContentTypeParser(JSON_TYPE, { parseAs: 'string' }, (request, body, done) => {
    if (body === '') {
      done(null, undefined);
      return;
    }
    void parseJson(request, String(body), (error, value: unknown) => {
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

function invalidBody(message: string): ValidationError {
  return new ValidationError([{ field: 'body', message }]);
}

function failureOf(check: () => void): Error | null {
  try {
    check();
    return null;
  } catch (error) {
    return error instanceof Error ? error : new Error(String(error));
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

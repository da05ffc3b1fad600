import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { RateLimiter } from '../../access/rate-limiter.js';
import { RefusalRecorder } from '../../access/refusal-recorder.js';
import { TokenAuthenticator } from '../../access/token-authenticator.js';
import { recordAction } from '../../actions/action.js';
import type { Config } from '../../config/config.js';
import { LIMITS } from '../../config/limits.js';
import { translateDatabaseError } from '../../database/database-errors.js';
import { TransactionRunner } from '../../database/transactions/transaction-runner.js';
import { Door } from '../../http/access/door.js';
import { Password } from '../../http/access/password.js';
import { toProblem } from '../../http/problems/problem-details.js';
import { sendProblem } from '../../http/problems/send-problem.js';
import { SAFE_METHODS } from '../../http/server/browser-guard.js';
import type { Authenticator, Refusal } from '../../kernel/access/caller.js';
import { UnauthenticatedError } from '../../kernel/access/unauthenticated.error.js';
import { OverloadedError } from '../../runtime/overloaded.error.js';
import { withRequest } from '../../runtime/request-context.js';

/** Without a database there is nobody but the user of the password. */
const KNOWS_NOBODY: Authenticator = {
  knowsAnybody: true,
  authenticate: () => {
    throw new UnauthenticatedError('The user or the password is wrong');
  },
};

/**
 * Lets in the user of the password, and keys: to look with `ops:read`, to act with `ops:manage`. What is done is recorded among the actions
 * before it is done. Call it before the routes are made, which are the board's own and do not say who may use them.
 */
export function guardDashboard(app: NestFastifyApplication, config: Config): void {
  const server: FastifyInstance = app.getHttpAdapter().getInstance();
  const { access, host, dashboard } = config;
  const { user, password } = dashboard;
  const { dashboardRequests: rateLimit } = LIMITS;
  server.addHook('onRoute', (route) => {
    const isSafe = [route.method].flat().every((method) => SAFE_METHODS.has(method));
    route.config = { access: [isSafe ? 'ops:read' : 'ops:manage'], ...route.config };
  });
  // Where there is a password, nobody comes in without one of the two.
  const door =
    user === undefined || password === undefined
      ? new Door({ ...access, host, rateLimit })
      : new Door({ ...access, host, rateLimit, auth: 'required', password: new Password({ user, password }) });
  door.identification.authenticator = KNOWS_NOBODY;
  // First: what is refused for want of room is not recorded as done.
  boundWork(server);
  if (config.database.isThere) {
    if (access.auth !== 'off') door.identification.authenticator = app.get(TokenAuthenticator, { strict: false });
    const refusals = app.get(RefusalRecorder, { strict: false });
    door.onRefusal = (refusal: Refusal) => refusals.note(refusal);
    recordChanges(server, app.get(TransactionRunner, { strict: false }));
  }
  door.rateLimit = new RateLimiter();
  door.guard(server);
  server.addHook('onRequest', (request, reply, done) => {
    if (request.is404) door.guardUnknown(request, reply, done);
    else done();
  });
  showWhatMayBeDone(server);
}

/** A change that cannot be recorded is not made. */
function recordChanges(server: FastifyInstance, transactions: TransactionRunner): void {
  server.addHook('preHandler', async (request, reply) => {
    if (SAFE_METHODS.has(request.method) || request.is404) return;
    const { id: requestId, caller } = request;
    const record = () => transactions.run((manager) => recordAction(manager, 'queue.changed', describeChange(request)));
    try {
      await withRequest({ requestId, actor: caller.actor ?? undefined }, record);
    } catch (error) {
      return refuse(reply, error);
    }
  });
}

function refuse(reply: FastifyReply, error: unknown): FastifyReply {
  sendProblem(reply, toProblem(translateDatabaseError(error) ?? error), error);
  return reply;
}

/** The route tells what is done, its parameters to which queue and job; the body may hold a job's data. */
function describeChange({ method, routeOptions: { url }, params }: FastifyRequest): object {
  const named = Object.entries(params ?? {}).map(([name, value]): [string, unknown] => [snakeCase(name), value]);
  return { method, route: url, ...Object.fromEntries(named) };
}

function snakeCase(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

/** The board works on the queue's Redis, which processing needs: it gets so much of it and no more. Its own page asks for less. */
function boundWork(server: FastifyInstance): void {
  let underWay = 0;
  const counted = new WeakSet<FastifyRequest>();
  server.addHook<{ Querystring: Record<string, unknown> }>('preHandler', async (request, reply) => {
    // By the route: the path itself may be written in many ways.
    if (request.routeOptions.url?.startsWith('/api/') !== true) return;
    const { query } = request;
    if (Number(query.jobsPerPage) > LIMITS.dashboardJobs) query.jobsPerPage = String(LIMITS.dashboardJobs);
    if (underWay >= LIMITS.dashboardRequestsAtOnce) {
      const overloaded = new OverloadedError();
      sendProblem(reply, toProblem(overloaded), overloaded);
      return reply;
    }
    underWay++;
    counted.add(request);
  });
  // Not when the client is gone: what it has asked for is still being done.
  server.addHook('onSend', async (request, _reply, payload) => {
    if (counted.delete(request)) underWay--;
    return payload;
  });
}

/** Of the queues of a caller who may only look, the board shows no buttons. */
function showWhatMayBeDone(server: FastifyInstance): void {
  server.addHook<{ queues?: object[] } | null>('preSerialization', async ({ caller }, _reply, payload) => {
    if (payload?.queues === undefined || caller.scopes.has('ops:manage')) return payload;
    const queues = payload.queues.map((queue) => ({ ...queue, readOnlyMode: true, allowRetries: false }));
    return { ...payload, queues };
  });
}

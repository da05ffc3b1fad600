import type { FastifyReply } from 'fastify';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { ERROR_CODES } from '../../kernel/error-codes.js';
import { counter } from '../../telemetry/metrics.js';
import type { AccessLog } from './access-log.js';
import { type Problem, toProblemDetails } from './problem-details.js';

declare module 'fastify' {
  interface FastifyInstance {
    /** Of a server whose requests are logged. */
    accessLog?: AccessLog;
  }
  interface FastifyReply {
    /** Of the problem that the request was answered with. */
    problemCode?: string;
  }
}

const problems = counter({
  name: 'http_server_problems_total',
  unit: 'responses',
  help: 'Responses that were problem details, by their code.',
  labels: { code: ERROR_CODES },
});

/** Seconds after which a client may ask a service again that was unavailable. */
const RETRY_AFTER_SECONDS = 1;

/** Answers a request with problem details, counts it by its code, and logs it with its cause. A client that has hung up was served nothing, and has no line. */
export function sendProblem(reply: FastifyReply, problem: Problem, cause?: unknown): void {
  const { request } = reply;
  reply.problemCode = problem.code;
  problems.inc({ code: problem.code });
  if (!request.raw.socket.destroyed) reply.server.accessLog?.problem(reply, problem, cause);
  if (problem.status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
  if (cause instanceof TooManyRequestsError) reply.header('Retry-After', cause.waitSeconds);
  const instance = request.url.split('?', 1)[0] ?? request.url;
  reply
    .code(problem.status)
    .header('Content-Type', 'application/problem+json')
    .send(toProblemDetails(problem, instance, request.id));
}

import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { TooManyRequestsError } from '../../kernel/access/too-many-requests.error.js';
import { ApplicationError } from '../../kernel/application-error.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { toProblem } from './problem-details.js';
import { sendProblem } from './send-problem.js';

/** Seconds a client should wait before it asks a service that was unavailable again. */
const RETRY_AFTER_SECONDS = 1;

/** Recognises an error of an infrastructure library and says what it means, or gives `undefined`. */
export type ErrorTranslator = (error: unknown) => unknown;

/** Answers everything that is thrown with problem details. */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  constructor(private readonly translate: ErrorTranslator) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof NoAnswerError) {
      reply.problemCode = 'NO_ANSWER';
      reply.server.accessLog?.hangUp(reply, error);
      reply.hijack();
      request.raw.socket.destroy();
      return;
    }
    const problem = toProblem(this.translate(error) ?? error);
    if (problem.status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
    if (error instanceof TooManyRequestsError) reply.header('Retry-After', error.waitSeconds);
    if (error instanceof ApplicationError && error.isReplayed) reply.header('Idempotent-Replayed', 'true');
    sendProblem(reply, problem, error);
  }
}

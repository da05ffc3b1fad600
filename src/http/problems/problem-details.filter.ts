import { type ArgumentsHost, Catch, type ExceptionFilter, Logger } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApplicationError } from '../../kernel/application-error.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { type Problem, toProblem, toProblemDetails } from './problem-details.js';

/** Seconds a client should wait before it asks a service that was unavailable again. */
const RETRY_AFTER_SECONDS = 1;

declare module 'fastify' {
  interface FastifyReply {
    /** Of the problem that the request was answered with. */
    problemCode?: string;
  }
}

/** Recognises an error of an infrastructure library and says what it means, or gives `undefined`. */
export type ErrorTranslator = (error: unknown) => unknown;

/** Answers everything that is thrown with problem details. */
@Catch()
export class ProblemDetailsFilter implements ExceptionFilter {
  private readonly logger = new Logger(ProblemDetailsFilter.name);

  constructor(private readonly translate: ErrorTranslator) {}

  catch(error: unknown, host: ArgumentsHost): void {
    const http = host.switchToHttp();
    const request = http.getRequest<FastifyRequest>();
    const reply = http.getResponse<FastifyReply>();
    if (error instanceof NoAnswerError) {
      this.hangUp(error, request, reply);
      return;
    }
    const problem = toProblem(this.translate(error) ?? error);
    reply.problemCode = problem.code;
    // A client that has hung up was served nothing.
    if (problem.status >= 500 && !request.raw.socket.destroyed) this.log(problem, error, request);
    if (problem.status === 503) reply.header('Retry-After', RETRY_AFTER_SECONDS);
    if (error instanceof ApplicationError && error.isReplayed) reply.header('Idempotent-Replayed', 'true');
    const instance = request.url.split('?', 1)[0] ?? request.url;
    reply
      .code(problem.status)
      .header('Content-Type', 'application/problem+json')
      .send(toProblemDetails(problem, instance, request.id));
  }

  private hangUp(error: NoAnswerError, { id, method, url, raw }: FastifyRequest, reply: FastifyReply): void {
    this.logger.error(`${method} ${url} closed without an answer, request_id=${id}: ${error.message}`);
    reply.hijack();
    raw.socket.destroy();
  }

  private log(problem: Problem, error: unknown, { id, method, url }: FastifyRequest): void {
    const line = `${method} ${url.split('?', 1)[0]} ${problem.status} ${problem.code} request_id=${id}`;
    if (problem.status === 500) this.logger.error(line, error instanceof Error ? error.stack : String(error));
    else this.logger.warn(`${line}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

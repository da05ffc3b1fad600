import { type ArgumentsHost, Catch, type ExceptionFilter } from '@nestjs/common';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { ApplicationError } from '../../kernel/application-error.js';
import { NoAnswerError } from '../../kernel/no-answer.error.js';
import { toProblem } from './problem-details.js';
import { sendProblem } from './send-problem.js';

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
    if (error instanceof ApplicationError && error.isReplayed) reply.header('Idempotent-Replayed', 'true');
    sendProblem(reply, problem, error);
  }
}

import type { FastifyError, FastifyReply, FastifyRequest } from 'fastify';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';
import type { RequestStep } from './request-steps.js';

/** Answers a path that cannot be decoded, which never reaches a route, a hook or a filter: so the steps are taken here. */
export function answerUnroutable(steps: readonly RequestStep[]) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    if (steps.every((step) => step(request, reply))) sendProblem(reply, toProblem(error), error);
  };
}

import type { FastifyError, FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';
import { toProblem } from '../problems/problem-details.js';
import { sendProblem } from '../problems/send-problem.js';

/** What is done when the head of a request is there. Gives whether the request goes on: not when the step has answered it. */
export type RequestStep = (request: FastifyRequest, reply: FastifyReply) => boolean;

/** What is done after all steps, and may take its time. */
export type LastStep = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** All steps in one hook, in their order, and then what may take its time: most steps do less than Fastify does around a hook. */
export function inOneHook(
  steps: readonly RequestStep[],
  last: LastStep = (_request, _reply, done) => done(),
): onRequestHookHandler {
  return (request, reply, done) => {
    for (const step of steps) if (!step(request, reply)) return;
    last(request, reply, done);
  };
}

/** Answers a path that cannot be decoded, which never reaches a route, a hook or a filter: so the steps are taken here. */
export function answerUnroutable(steps: readonly RequestStep[]) {
  return (error: FastifyError, request: FastifyRequest, reply: FastifyReply): void => {
    if (steps.every((step) => step(request, reply))) sendProblem(reply, toProblem(error), error);
  };
}

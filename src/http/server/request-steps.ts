import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';

/** What is done when the head of a request is there. Gives whether the request goes on: not when the step has answered it. */
export type RequestStep = (request: FastifyRequest, reply: FastifyReply) => boolean;

type Last = (request: FastifyRequest, reply: FastifyReply, done: (error?: Error) => void) => void;

/** All steps in one hook, in their order, and then what may take its time: most steps do less than Fastify does around a hook. */
export function inOneHook(
  steps: readonly RequestStep[],
  last: Last = (_request, _reply, done) => done(),
): onRequestHookHandler {
  return (request, reply, done) => {
    for (const step of steps) if (!step(request, reply)) return;
    last(request, reply, done);
  };
}

import type { FastifyReply, FastifyRequest, onRequestHookHandler } from 'fastify';

/** What is done when the head of a request is there. Gives whether the request goes on: not when the step has answered it. */
export type RequestStep = (request: FastifyRequest, reply: FastifyReply) => boolean;

/** All steps in one hook, in their order: most of them do less than Fastify does around a hook. */
export function inOneHook(steps: readonly RequestStep[]): onRequestHookHandler {
  return (request, reply, done) => {
    for (const step of steps) if (!step(request, reply)) return;
    done();
  };
}

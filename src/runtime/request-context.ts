import { AsyncLocalStorage } from 'node:async_hooks';
import type { SpanContext } from '@opentelemetry/api';

/** Who has asked for something, for its record; null where that is not known, or nobody has. */
export interface Origin {
  /** The `X-Request-Id` of the request. */
  readonly requestId: string | null;
  readonly actor: string | null;
}

/** What the process is working on. */
interface RequestContext {
  /** The moment, as `performance.now` tells it, by which the work must be done. */
  readonly deadline: number;
  /** The `X-Request-Id` of the request, or of the purchase whose order is being processed. */
  readonly requestId?: string | undefined;
  /** Who sent the request. */
  readonly actor?: string | undefined;
  readonly jobId?: string | undefined;
  /** The span that the work belongs to. */
  readonly trace?: SpanContext | undefined;
}

const contexts = new AsyncLocalStorage<RequestContext>();
const NONE: RequestContext = { deadline: Infinity };

/** What the logger adds to each line. */
export function currentContext(): RequestContext {
  return contexts.getStore() ?? NONE;
}

/** Of the request that runs. */
export function currentOrigin(): Origin {
  const { requestId = null, actor = null } = currentContext();
  return { requestId, actor };
}

/**
 * Runs `work` with a time budget: everything that it starts has so many milliseconds together. A wait with a limit of its own
 * waits no longer than {@link remainingMs}, so the sum of several waits is as short as the budget. An inner budget is never longer
 * than an outer one.
 */
export function withTimeBudget<T>(milliseconds: number, work: () => T): T {
  const context = currentContext();
  return contexts.run({ ...context, deadline: Math.min(context.deadline, performance.now() + milliseconds) }, work);
}

/** Runs `work` for a request, or for an order or a job that a request has caused, within the budget that runs. */
export function withRequest<T>(request: Omit<RequestContext, 'deadline'>, work: () => T): T {
  return contexts.run({ ...currentContext(), ...request }, work);
}

/** Runs `work` for a request that has just come: it has no context yet. */
export function withNewRequest<T>(context: RequestContext, work: () => T): T {
  return contexts.run(context, work);
}

/** Runs `work` that serves several requests and belongs to none of them, by the `deadline` of the most urgent one. */
export function withoutRequest<T>(deadline: number, work: () => T): T {
  return contexts.run({ deadline }, work);
}

/** What is left of the budget in milliseconds, never below 0; `Infinity` without a budget, as in a worker. */
export function remainingMs(): number {
  const { deadline } = currentContext();
  return deadline === Infinity ? Infinity : Math.max(deadline - performance.now(), 0);
}

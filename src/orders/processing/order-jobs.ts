import type { SpanContext } from '@opentelemetry/api';
import type { JobsOptions, MinimalJob } from 'bullmq';
import type { Config } from '../../config/config.js';
import { parseTraceparent } from '../../telemetry/tracing.js';
import { backoffAfter, MAX_BACKOFF_MS } from '../../runtime/backoff.js';

/** The catalogue of what stands in the queues: names, payloads, options. */
export const ORDERS_QUEUE = 'orders';
const PROCESS_ORDER = 'process-order';

/** Orders that were sold together wait here in one job until a worker takes them up. */
export const DISPATCH_QUEUE = 'hand-over';
const DISPATCH = 'hand-over';

/** Orders that one job may dispatch; a worker without a free slot makes a job of each in one round trip. */
export const MAX_ORDERS_PER_DISPATCH = 500;

export interface DispatchPayload {
  readonly orderIds: readonly number[];
  /** Of the requests that are traced, by order id. */
  readonly traceparents?: Readonly<Record<number, string>>;
}

/** What is read from the row when the job runs is not in it, so a job is never out of date. */
export interface ProcessOrderPayload {
  readonly orderId: number;
  /** Attempts that were made for the order before the job was added; none unless given. */
  readonly earlierAttempts?: number;
  /** The span of the request that has bought the order, if it is traced. */
  readonly traceparent?: string;
}

/** The order of a job's payload; `undefined` when it has none: anybody who reaches Redis can add jobs. */
export function orderIdOf(payload: unknown): number | undefined {
  if (typeof payload !== 'object' || payload === null || !('orderId' in payload)) return undefined;
  return isId(payload.orderId) ? payload.orderId : undefined;
}

/** The span of the request that has bought an order, by the payload of the order's job or of its dispatch. */
export function traceOf(payload: unknown, orderId: number): SpanContext | undefined {
  if (typeof payload !== 'object' || payload === null) return undefined;
  if ('traceparent' in payload) return parseTraceparent(payload.traceparent);
  if (!('traceparents' in payload) || typeof payload.traceparents !== 'object') return undefined;
  return parseTraceparent(new Map(Object.entries(payload.traceparents ?? {})).get(String(orderId)));
}

/** The orders of a dispatch's payload, each once; none when it is not one of this system. */
export function orderIdsOf(payload: unknown): number[] {
  if (typeof payload !== 'object' || payload === null || !('orderIds' in payload)) return [];
  const { orderIds } = payload;
  if (!Array.isArray(orderIds) || orderIds.length > MAX_ORDERS_PER_DISPATCH) return [];
  return [...new Set(orderIds.filter(isId))];
}

function isId(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value > 0;
}

/**
 * Whether an unfinished job with the id of an order's job will be worked on for that order, and soon: its payload names the
 * order, and it waits no longer than this system lets a job wait.
 */
export function isStillToCome(job: { readonly data: unknown; readonly delay: number }, orderId: number): boolean {
  return orderIdOf(job.data) === orderId && job.delay <= MAX_BACKOFF_MS;
}

/** A job that is to be added. */
export interface NewJob<Payload> {
  name: string;
  data: Payload;
  opts: JobsOptions;
}

/** Finished jobs that stay for the dashboard; the truth about an order is its row. */
export const KEPT_COMPLETED = 1_000;
export const KEPT_FAILED = 10_000;

/** The wait before the next attempt of a job. */
// eslint-disable-next-line no-restricted-syntax -- BullMQ calls it
export function backoffOf(attemptsMade: number, _type?: string, _error?: Error, job?: MinimalJob): number {
  const backoff = job?.opts.backoff;
  const firstMs = typeof backoff === 'object' ? (backoff.delay ?? 0) : 0;
  return backoffAfter(attemptsMade + earlierAttemptsOf(job?.data), firstMs);
}

/** One job an order: a second one with the same id is not added while the first is there. */
export function jobIdOf(orderId: number): string {
  return `order-${orderId}`;
}

export function processOrderJob(
  orderId: number,
  { attempts, backoffMs }: Config['orders'],
  traceparent?: string,
): NewJob<ProcessOrderPayload> {
  return {
    name: PROCESS_ORDER,
    data: traceparent === undefined ? { orderId } : { orderId, traceparent },
    opts: {
      jobId: jobIdOf(orderId),
      attempts,
      backoff: { type: 'capped', delay: backoffMs },
      removeOnComplete: { count: KEPT_COMPLETED },
      removeOnFail: { count: KEPT_FAILED },
    },
  };
}

/** The job of an order whose first attempt was made together with others, and failed. */
export function retryOrderJob(orderId: number, options: Config['orders']): NewJob<ProcessOrderPayload> {
  const job = processOrderJob(orderId, { ...options, attempts: Math.max(options.attempts - 1, 1) });
  return {
    ...job,
    data: { orderId, earlierAttempts: 1 },
    opts: { ...job.opts, delay: Math.max(backoffAfter(1, options.backoffMs), 1) },
  };
}

function earlierAttemptsOf(payload: unknown): number {
  if (typeof payload !== 'object' || payload === null || !('earlierAttempts' in payload)) return 0;
  return isId(payload.earlierAttempts) ? payload.earlierAttempts : 0;
}

/**
 * The job of orders that are dispatched together. A dispatch that is lost or fails costs only time: the sweep finds its orders. The id of
 * the first order names the job, so that BullMQ ignores a dispatch that is sent again because its answer was lost.
 */
export function dispatchJob(
  orderIds: readonly number[],
  traceparents: Readonly<Record<number, string>> = {},
): NewJob<DispatchPayload> {
  const isTraced = Object.keys(traceparents).length > 0;
  return {
    name: DISPATCH,
    data: isTraced ? { orderIds, traceparents } : { orderIds },
    opts: {
      jobId: `hand-over-${orderIds[0]}`,
      removeOnComplete: { count: KEPT_COMPLETED },
      removeOnFail: { count: KEPT_COMPLETED },
    },
  };
}

import type { JobsOptions } from 'bullmq';
import type { Config } from '../config/config.js';

/** The catalogue of what stands in the queues: names, payloads, options. */
export const ORDERS_QUEUE = 'orders';
const PROCESS_ORDER = 'process-order';

/** Orders that were sold together wait here in one job until a worker makes a job of each. */
export const HAND_OVER_QUEUE = 'hand-over';
const HAND_OVER = 'hand-over';

export interface HandOverPayload {
  readonly orderIds: readonly number[];
}

/** The id alone: everything else is read from the row when the job runs, so a job is never out of date. */
export interface ProcessOrderPayload {
  readonly orderId: number;
}

/** A job as `addBulk` takes it. */
export interface NewJob<Payload> {
  name: string;
  data: Payload;
  opts: JobsOptions;
}

/** Finished jobs that stay for the dashboard; the truth about an order is its row. */
const KEPT_COMPLETED = 1_000;
const KEPT_FAILED = 10_000;

/** One job an order: a second one with the same id is not added while the first is there. */
export function jobIdOf(orderId: number): string {
  return `order-${orderId}`;
}

export function processOrderJob(
  orderId: number,
  { attempts, backoffMs }: Config['orders'],
): NewJob<ProcessOrderPayload> {
  return {
    name: PROCESS_ORDER,
    data: { orderId },
    opts: {
      jobId: jobIdOf(orderId),
      attempts,
      backoff: { type: 'exponential', delay: backoffMs, jitter: 0.5 },
      removeOnComplete: { count: KEPT_COMPLETED },
      removeOnFail: { count: KEPT_FAILED },
    },
  };
}

/** Lost or failed it costs time and nothing else: the sweep finds its orders. */
export function handOverJob(orderIds: readonly number[]): NewJob<HandOverPayload> {
  return {
    name: HAND_OVER,
    data: { orderIds },
    opts: { removeOnComplete: true, removeOnFail: { count: KEPT_COMPLETED } },
  };
}

import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { answeredByQueue } from '../../queue/answered-by-queue.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../processing/order-jobs.js';

/** States of a job that has not succeeded. */
export const JOB_STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

export interface QueueDepth {
  readonly name: string;
  /** Jobs in each state. */
  readonly jobs: Readonly<Record<(typeof JOB_STATES)[number], number>>;
}

/** The queues of orders, as they stand in Redis. */
@Injectable()
export class OrderQueues {
  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue<unknown>,
    @InjectQueue(DISPATCH_QUEUE) private readonly dispatches: Queue<unknown>,
  ) {}

  /** @throws QueueUnavailableError */
  async depths(timeoutMs: number): Promise<QueueDepth[]> {
    return answeredByQueue(Promise.all([this.orders, this.dispatches].map(depthOf)), timeoutMs);
  }
}

async function depthOf(queue: Queue<unknown>): Promise<QueueDepth> {
  const { waiting = 0, active = 0, delayed = 0, failed = 0 } = await queue.getJobCounts(...JOB_STATES);
  return { name: queue.name, jobs: { waiting, active, delayed, failed } };
}

import { InjectQueue } from '@nestjs/bullmq';
import { Injectable } from '@nestjs/common';
import type { Queue } from 'bullmq';
import { gauge } from '../../telemetry/metrics.js';
import { ObservedGauges } from '../../telemetry/observed-gauges.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../processing/order-jobs.js';

const STATES = ['waiting', 'active', 'delayed', 'failed'] as const;

const jobs = gauge({
  name: 'jobs',
  unit: 'jobs',
  help: 'Jobs in the queues, by their state; a job of the queue of dispatches (hand-over) stands for up to 50 orders. Of the whole shop.',
  labels: { queue: [ORDERS_QUEUE, DISPATCH_QUEUE], state: STATES },
});

/** Tells how many jobs stand in the queues. */
@Injectable()
export class QueueMetrics extends ObservedGauges {
  protected readonly gauges = [jobs];

  constructor(
    @InjectQueue(ORDERS_QUEUE) private readonly orders: Queue<unknown>,
    @InjectQueue(DISPATCH_QUEUE) private readonly dispatches: Queue<unknown>,
  ) {
    super();
  }

  protected async read(): Promise<void> {
    for (const queue of [this.orders, this.dispatches]) {
      const counts = await queue.getJobCounts(...STATES);
      for (const state of STATES) jobs.set({ queue: queue.name, state }, counts[state] ?? 0);
    }
  }
}

import { Injectable } from '@nestjs/common';
import { gauge } from '../../telemetry/metrics.js';
import { ObservedGauges } from '../../telemetry/observed-gauges.js';
import { DISPATCH_QUEUE, ORDERS_QUEUE } from '../processing/order-jobs.js';
import { JOB_STATES, OrderQueues } from '../operations/order-queues.js';

const TIMEOUT_MS = 2_000;

const jobs = gauge({
  name: 'jobs',
  unit: 'jobs',
  help: 'Jobs in the queues, by their state; a job of the queue of dispatches (hand-over) stands for up to 50 orders. Of the whole shop.',
  labels: { queue: [ORDERS_QUEUE, DISPATCH_QUEUE], state: JOB_STATES },
});

/** Tells how many jobs stand in the queues. */
@Injectable()
export class QueueMetrics extends ObservedGauges {
  protected readonly gauges = [jobs];

  constructor(private readonly queues: OrderQueues) {
    super();
  }

  protected async read(): Promise<void> {
    for (const { name, jobs: counts } of await this.queues.depths(TIMEOUT_MS)) {
      for (const state of JOB_STATES) jobs.set({ queue: name, state }, counts[state]);
    }
  }
}

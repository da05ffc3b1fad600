import { COMPLETION_BUCKETS, counter, DURATION_BUCKETS, seriesHistogram } from '../../telemetry/metrics.js';

const ENDS = ['completed', 'failed'] as const;
const CALL_OUTCOMES = ['done', 'failed', 'aborted'] as const;

export type CallOutcome = (typeof CALL_OUTCOMES)[number];

/** Plain numbers, told when somebody asks for the metrics: to count an order, no series is looked up by its label. */
const ended = new Map<(typeof ENDS)[number], number>();

counter({
  name: 'orders_ended_total',
  unit: 'orders',
  help: 'Orders that this worker has brought to their end.',
  labels: { status: ENDS },
  collect() {
    this.reset();
    for (const [status, count] of ended) this.inc({ status }, count);
  },
});

export function countEnded(status: (typeof ENDS)[number]): void {
  ended.set(status, (ended.get(status) ?? 0) + 1);
}

export const completionTime = seriesHistogram({
  name: 'order_completion_seconds',
  unit: 'seconds',
  help: 'From the 201 of an order until it was completed.',
  combinations: 1,
  buckets: COMPLETION_BUCKETS,
}).of({});

const callTime = seriesHistogram({
  name: 'fulfilment_call_duration_seconds',
  unit: 'seconds',
  help: 'External calls for orders, by how they ended; aborted ones were not wanted any more, or the worker stopped.',
  labels: { outcome: CALL_OUTCOMES },
  combinations: CALL_OUTCOMES.length,
  buckets: [...DURATION_BUCKETS, 30, 60],
});

const callTimes = new Map(CALL_OUTCOMES.map((outcome) => [outcome, callTime.of({ outcome })]));

/** @param milliseconds that an external call took. */
export function measureCall(outcome: CallOutcome, milliseconds: number): void {
  callTimes.get(outcome)?.observe(milliseconds / 1_000);
}

export const ordersRescued = counter({
  name: 'orders_rescued_total',
  unit: 'orders',
  help: 'Orders that had lost their job and were dispatched again by the sweep.',
});

export const undos = counter({
  name: 'fulfilment_undos_total',
  unit: 'calls',
  help: 'Fulfilments that were cancelled at the gateway, because their order had ended otherwise.',
});
